import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Field, Select } from '@/kit/Field';
import { ErrorState, Skeleton } from '@/kit/states';
import { useCommand } from '@/transport/hooks';
import { ExpressionEditor } from './ExpressionEditor';

/** The rules of a strategy as its file has them, and a field to try expressions in. */
export function Editor() {
  const { t } = useTranslation();
  const query = useCommand('strategies.list', {}, { staleTime: 60_000 });
  const [name, setName] = useState<string | null>(null);
  if (query.isPending) return <Skeleton label={t('state.loading')} rows={8} />;
  if (query.error)
    return (
      <ErrorState
        message={query.error.message}
        code={query.error.code}
        retryLabel={t('action.retry')}
        copyLabel={t('action.copyDetails')}
        onRetry={() => void query.refetch()}
      />
    );
  const chosen = query.data.strategies.find((each) => each.name === name) ?? query.data.strategies[0];
  return (
    <div className="flex h-full flex-col gap-2.5 overflow-auto p-2.5">
      <ExpressionEditor kind="bool" label={t('editor.try')} initial="cross_above(ema(10), ema(20)) and rsi(14) < 70" />
      <Field label={t('editor.source')}>
        {(props) => (
          <Select {...props} value={chosen?.name ?? ''} onChange={(event) => setName(event.target.value)}>
            {query.data.strategies.map((each) => (
              <option key={each.name} value={each.name}>
                {each.title}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <pre
        role="group"
        tabIndex={0}
        aria-label={t('editor.source')}
        className="min-h-24 flex-1 overflow-auto rounded-sm border border-line bg-bg0 p-2 font-mono text-xs leading-[18px] selectable"
      >
        {chosen?.source}
      </pre>
    </div>
  );
}
