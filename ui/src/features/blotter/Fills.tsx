import { Receipt } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/kit/Button';
import { type Column, Grid } from '@/kit/Grid';
import { EmptyState, ErrorState, Skeleton } from '@/kit/states';
import * as fmt from '@/lib/format';
import { useUi } from '@/lib/ui';
import { symbolOf, useInstruments } from '@/transport/instruments';
import { useLive } from '@/transport/live';
import type { Fill } from '@/transport/types';

export function Fills() {
  const { t } = useTranslation();
  const { data, error } = useLive('fills', {});
  const instruments = useInstruments();
  const open = useUi((s) => s.open);
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
      <EmptyState icon={<Receipt />} title={t('blotter.noFills')}>
        {t('blotter.noFillsText')}
      </EmptyState>
    );
  const explain = (fill: Fill) =>
    open({
      kind: 'explain',
      id: fill.id,
      title: `${t(fill.side === 'buy' ? 'side.Buy' : 'side.Sell')} ${fmt.quantity(fill.qty)} ${symbolOf(fill.instrument)}`,
    });
  const spec = (fill: Fill) => instruments.find((i) => i.id === fill.instrument);
  const columns: Column<Fill>[] = [
    {
      id: 'time',
      head: t('chart.table.time'),
      width: '110px',
      cell: (f) => <time title={fmt.dateFull(f.event_time)}>{fmt.dateTime(f.event_time)}</time>,
      className: 'text-t2',
    },
    {
      id: 'symbol',
      head: t('blotter.symbol'),
      width: 'minmax(76px, 1fr)',
      cell: (f) => symbolOf(f.instrument),
      className: 'font-medium',
    },
    {
      id: 'side',
      head: t('blotter.side'),
      width: '52px',
      cell: (f) => (f.side === 'buy' ? `▲ ${t('side.Buy')}` : `▼ ${t('side.Sell')}`),
      className: (f) => (f.side === 'buy' ? 'text-up' : 'text-down'),
    },
    {
      id: 'qty',
      head: t('ticket.quantity'),
      width: 'minmax(64px, 1fr)',
      numeric: true,
      cell: (f) => fmt.quantity(f.qty, spec(f)?.quantity_decimals ?? 0),
    },
    {
      id: 'price',
      head: t('depth.price'),
      width: 'minmax(80px, 1fr)',
      numeric: true,
      cell: (f) => fmt.price(f.price, spec(f)?.price_decimals ?? 2),
    },
    {
      id: 'pnl',
      head: t('blotter.realizedPnl'),
      width: 'minmax(80px, 1fr)',
      numeric: true,
      cell: (f) => fmt.change(f.realized_pnl),
      className: (f) => fmt.toneClass(fmt.direction(f.realized_pnl)),
    },
    { id: 'fee', head: t('ticket.fee'), width: 'minmax(60px, 1fr)', numeric: true, cell: (f) => fmt.money(f.fee) },
    { id: 'liquidity', head: t('blotter.liquidity'), width: '70px', cell: (f) => f.liquidity, className: 'text-t2' },
    {
      id: 'source',
      head: t('blotter.source'),
      width: 'minmax(70px, 1fr)',
      cell: (f) => f.source,
      className: 'text-t2',
    },
    {
      id: 'why',
      head: '',
      width: '52px',
      cell: (f) => (
        <Button
          variant="link"
          size="bare"
          className="h-6"
          aria-label={t('blotter.whyOf', { id: f.id })}
          onClick={() => explain(f)}
        >
          {t('action.why')}
        </Button>
      ),
    },
  ];
  return <Grid label={t('panel.fills')} columns={columns} rows={data} keyOf={(f) => f.id} onActivate={explain} />;
}
