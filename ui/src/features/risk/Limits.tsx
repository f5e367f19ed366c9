import { useQueryClient } from '@tanstack/react-query';
import { ShieldCheck } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/kit/Button';
import { NumberInput } from '@/kit/Field';
import { EmptyState, ErrorState, Skeleton } from '@/kit/states';
import { div, parseDecimal, sign, toText } from '@/lib/decimal';
import * as fmt from '@/lib/format';
import { useAction, useCommand } from '@/transport/hooks';
import type { RiskView } from '@/transport/types';

type Limit = RiskView['limits'][number];

/** Share of a limit that is used, 0 to 1, for the width of a bar. */
export function usedShare(limit: Pick<Limit, 'limit' | 'used'>): number {
  const most = parseDecimal(limit.limit);
  const used = parseDecimal(limit.used);
  if (!most || !used || sign(most) <= 0) return 0;
  return Math.max(0, Math.min(1, Number(toText(div(used, most, 4)))));
}

/** What the risk gate allows, how much of it is used, and what it refused lately. */
export function Limits() {
  const { t } = useTranslation();
  const query = useCommand('risk.show', {}, { refetchInterval: 2_000 });
  if (query.isPending) return <Skeleton label={t('state.loading')} />;
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
  const { limits, recent_denials: denials } = query.data;
  if (limits.length === 0)
    return (
      <EmptyState icon={<ShieldCheck />} title={t('limits.none')}>
        {t('limits.noneText')}
      </EmptyState>
    );
  return (
    <div tabIndex={0} role="group" aria-label={t('panel.limits')} className="h-full overflow-auto">
      <ul>
        {limits.map((limit) => (
          <Row key={`${limit.account} ${limit.name}`} limit={limit} />
        ))}
      </ul>
      {denials.length ? (
        <section aria-label={t('limits.denials')} className="p-2.5">
          <h3 className="mb-1 font-semibold">{t('limits.denials')}</h3>
          <ul className="flex flex-col gap-1">
            {denials.slice(0, 50).map((denial) => (
              <li key={`${denial.time} ${denial.check} ${denial.instrument}`} className="flex gap-2">
                <time className="text-t3" title={fmt.dateFull(denial.time)}>
                  {fmt.clock(denial.time)}
                </time>
                <span className="font-medium">{denial.instrument}</span>
                <span className="text-warn">{denial.check}</span>
                <span className="min-w-0 flex-1 text-t2">{denial.reason}</span>
              </li>
            ))}
          </ul>
        </section>
      ) : null}
    </div>
  );
}

function Row({ limit }: { limit: Limit }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const set = useAction('risk.set');
  const [editing, setEditing] = useState<string | null>(null);
  const share = usedShare(limit);
  const name = limit.name.replaceAll('_', ' ');
  return (
    <li className="grid min-h-9 grid-cols-[1.3fr_1fr_1.6fr_auto] items-center gap-3 border-b border-line px-2.5">
      <span>
        <span className="font-medium">{name}</span> <span className="text-t3">{limit.account}</span>
      </span>
      <span aria-hidden className="h-1.5 overflow-hidden rounded-full bg-bg3">
        <span
          className={`block h-full ${share > 0.9 ? 'bg-crit' : share > 0.7 ? 'bg-warn' : 'bg-accent'}`}
          style={{ width: `${share * 100}%` }}
        />
      </span>
      {editing === null ? (
        <span className="num">
          {fmt.quantity(limit.used)} / {fmt.quantity(limit.limit)} <span className="text-t3">{limit.unit}</span>
        </span>
      ) : (
        <form
          className="flex items-center gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            set.mutate(
              { account: limit.account, limit: limit.name, value: editing },
              {
                onSuccess: () => {
                  setEditing(null);
                  void queries.invalidateQueries({ queryKey: ['risk.show'] });
                },
              },
            );
          }}
        >
          <NumberInput
            autoFocus
            aria-label={t('limits.newValue', { name })}
            value={editing}
            onChange={(event) => setEditing(event.target.value)}
          />
          <Button type="submit" size="sm" variant="solid" disabled={set.isPending || !parseDecimal(editing)}>
            {t('action.save')}
          </Button>
        </form>
      )}
      <Button
        variant="link"
        size="bare"
        className="h-6"
        aria-label={t('limits.changeOf', { name })}
        onClick={() => setEditing(editing === null ? limit.limit : null)}
      >
        {editing === null ? t('limits.change') : t('action.cancel')}
      </Button>
      {set.error && editing !== null ? <p className="col-span-4 pb-1 text-crit">{set.error.message}</p> : null}
    </li>
  );
}
