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
      {chosen ? (
        <div className="flex flex-col gap-2 rounded-sm bg-bg2 p-2.5">
          <p className="text-t2">{chosen.description}</p>
          <dl className="grid grid-cols-[auto_auto_1fr] gap-x-3 gap-y-1 font-mono text-xs">
            {chosen.params.map((param) => (
              <div key={param.name} className="contents">
                <dt>{param.name}</dt>
                <dd className="num">{param.default}</dd>
                <dd className="font-sans text-t2">{param.description}</dd>
              </div>
            ))}
          </dl>
          <p className="text-xs text-t3">{t('editor.from', { source: chosen.source })}</p>
        </div>
      ) : null}
    </div>
  );
}
