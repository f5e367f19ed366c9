import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CodeField } from '@/kit/CodeField';
import { complaintOf, useExpressionCheck, useExpressionCompletion } from '@/transport/expressions';
import { canonical } from '../study';

/** An expression as a study: drawn as soon as the engine can compute it, at Enter when it is a new one. */
export function ExpressionForm({
  text: given,
  onChange,
  onSubmit,
}: {
  text: string;
  onChange?: (text: string) => void;
  onSubmit?: (text: string) => void;
}) {
  const { t } = useTranslation();
  const [text, setText] = useState(given);
  const verdict = useExpressionCheck(text);
  const propose = useExpressionCompletion();
  const good = verdict?.ok === true && verdict.text === text;
  const drawn = useRef(onChange);
  drawn.current = onChange;
  useEffect(() => {
    if (good && canonical(text) !== given) drawn.current?.(canonical(text));
  }, [good, text, given]);
  return (
    <CodeField
      label={t('picker.expressionLabel')}
      value={text}
      onChange={setText}
      complaint={complaintOf(verdict, text)}
      valid={good ? t(onSubmit ? 'picker.enterDraws' : 'picker.drawn') : null}
      propose={propose}
      proposalsLabel={t('console.completions')}
      onSubmit={onSubmit ? () => good && onSubmit(text) : undefined}
      rows={3}
      eager
    />
  );
}
