import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CodeField } from '@/kit/CodeField';
import { complaintOf, useExpressionCheck, useExpressionCompletion } from '@/transport/expressions';

/** One expression of the strategy language: checked by the engine while typing, the bad part underlined by carets. */
export function ExpressionEditor({
  kind,
  initial,
  label,
}: {
  kind: 'bool' | 'number';
  initial: string;
  label: string;
}) {
  const { t } = useTranslation();
  const [text, setText] = useState(initial);
  const verdict = useExpressionCheck(text, kind);
  const propose = useExpressionCompletion();
  return (
    <CodeField
      label={label}
      value={text}
      onChange={setText}
      complaint={complaintOf(verdict, text)}
      valid={verdict?.ok ? t('editor.valid') : null}
      propose={propose}
      proposalsLabel={t('console.completions')}
    />
  );
}
