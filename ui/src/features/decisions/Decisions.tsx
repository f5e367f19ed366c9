import { Sparkles } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/kit/Button';
import { Chip, type Tone } from '@/kit/Chip';
import { EmptyState, ErrorState, Skeleton } from '@/kit/states';
import * as fmt from '@/lib/format';
import { useUi } from '@/lib/ui';
import { symbolOf, useInstruments } from '@/transport/instruments';
import { useLive } from '@/transport/live';
import type { Decision, Verdict } from '@/transport/types';

const TONES: Record<Verdict, Tone> = {
  buy: 'up',
  sell: 'down',
  hold: 'neutral',
  skip: 'violet',
  block: 'warn',
  error: 'crit',
};

/** What the strategies decided and why, also when they did not trade. */
export function Decisions() {
  const { t } = useTranslation();
  const { data, error } = useLive('decisions', {});
  if (error && !data)
    return (
      <ErrorState
        message={error.message}
        code={error.code}
        retryLabel={t('action.retry')}
        copyLabel={t('action.copyDetails')}
      />
    );
  if (!data) return <Skeleton label={t('state.loading')} />;
  if (data.length === 0)
    return (
      <EmptyState
        icon={<Sparkles />}
        title={t('decisions.empty')}
        action={{ label: t('command.go.automate'), run: () => useUi.getState().go('automate') }}
      >
        {t('decisions.emptyText')}
      </EmptyState>
    );
  return (
    <ul aria-label={t('panel.decisions')} tabIndex={0} className="h-full overflow-auto">
      {data.slice(0, 200).map((decision) => (
        <Row key={decision.id} decision={decision} />
      ))}
    </ul>
  );
}

function Row({ decision }: { decision: Decision }) {
  const { t } = useTranslation();
  const open = useUi((s) => s.open);
  const spec = useInstruments().find((i) => i.id === decision.instrument);
  const symbol = symbolOf(decision.instrument);
  const title = [
    symbol,
    decision.qty ? fmt.quantity(decision.qty, spec?.quantity_decimals ?? 0) : null,
    decision.price && decision.verdict !== 'skip' && decision.verdict !== 'block'
      ? `@ ${fmt.price(decision.price, spec?.price_decimals ?? 2)}`
      : null,
  ]
    .filter(Boolean)
    .join(' ');
  return (
    <li className="border-b border-line px-2.5 py-1.5">
      <div className="flex items-center gap-2">
        <Chip tone={TONES[decision.verdict]} className="w-12 justify-center uppercase">
          {t(`verdict.${decision.verdict}`)}
        </Chip>
        <span className="min-w-0 flex-1 truncate font-medium">{title}</span>
        {decision.confidence === null || decision.confidence === undefined ? null : (
          <>
            <span aria-hidden className="h-1 w-10 shrink-0 overflow-hidden rounded-full bg-bg3">
              <span className="block h-full bg-accent" style={{ width: `${decision.confidence * 100}%` }} />
            </span>
            <span className="text-t2">{fmt.percent(decision.confidence)}</span>
          </>
        )}
        <time className="text-t2" title={fmt.dateFull(decision.time)}>
          {fmt.clockMinutes(decision.time)}
        </time>
      </div>
      <p className="pl-14 text-t2">
        {decision.reason}{' '}
        <Button
          variant="link"
          size="bare"
          aria-label={t('decisions.whyOf', { title })}
          className="min-h-4 font-normal"
          onClick={() => open({ kind: 'explain', id: String(decision.order_id ?? decision.id), title })}
        >
          {t('action.why')}
        </Button>
      </p>
    </li>
  );
}
