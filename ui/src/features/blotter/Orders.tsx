import { ListOrdered } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/kit/Button';
import { Chip, type Tone } from '@/kit/Chip';
import { type Column, Grid } from '@/kit/Grid';
import { EmptyState, ErrorState, Skeleton } from '@/kit/states';
import { toast } from '@/kit/toasts';
import * as fmt from '@/lib/format';
import { isOver } from '@/lib/orderStatus';
import { useUi } from '@/lib/ui';
import { useAction } from '@/transport/hooks';
import { symbolOf, useInstruments } from '@/transport/instruments';
import { useLive } from '@/transport/live';
import type { Order, OrderStatus } from '@/transport/types';

const TONES: Record<OrderStatus, Tone> = {
  intent: 'neutral',
  sent: 'neutral',
  unknown: 'warn',
  accepted: 'accent',
  partially_filled: 'accent',
  filled: 'up',
  denied: 'crit',
  rejected: 'crit',
  not_accepted: 'crit',
  canceled: 'neutral',
  expired: 'neutral',
};

export function Orders() {
  const { t } = useTranslation();
  const { data, error } = useLive('orders', {});
  const instruments = useInstruments();
  const cancel = useAction('orders.cancel');
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
      <EmptyState
        icon={<ListOrdered />}
        title={t('blotter.noOrders')}
        action={{ label: t('blotter.openTicket'), run: () => useUi.getState().show('ticket') }}
      >
        {t('blotter.noOrdersText')}
      </EmptyState>
    );
  const spec = (o: Order) => instruments.find((i) => i.id === o.instrument);
  const level = (o: Order, value: string | null | undefined) => fmt.price(value, spec(o)?.price_decimals ?? 2);
  const columns: Column<Order>[] = [
    {
      id: 'time',
      head: t('chart.table.time'),
      width: '70px',
      cell: (o) => fmt.clock(o.created_at),
      className: 'text-t2',
    },
    {
      id: 'symbol',
      head: t('blotter.symbol'),
      width: 'minmax(76px, 1fr)',
      cell: (o) => symbolOf(o.instrument),
      className: 'font-medium',
    },
    {
      id: 'side',
      head: t('blotter.side'),
      width: '52px',
      cell: (o) => (o.side === 'buy' ? `▲ ${t('side.Buy')}` : `▼ ${t('side.Sell')}`),
      className: (o) => (o.side === 'buy' ? 'text-up' : 'text-down'),
    },
    { id: 'type', head: t('review.type'), width: '70px', cell: (o) => t(`ticket.types.${o.order_type}`) },
    {
      id: 'qty',
      head: t('ticket.quantity'),
      width: 'minmax(64px, 1fr)',
      numeric: true,
      cell: (o) => fmt.quantity(o.qty, spec(o)?.quantity_decimals ?? 0),
    },
    {
      id: 'filled',
      head: t('blotter.filled'),
      width: 'minmax(64px, 1fr)',
      numeric: true,
      cell: (o) => fmt.quantity(o.filled_qty, spec(o)?.quantity_decimals ?? 0),
    },
    {
      id: 'price',
      head: t('depth.price'),
      width: 'minmax(74px, 1fr)',
      numeric: true,
      cell: (o) => level(o, o.price ?? o.stop),
    },
    {
      id: 'average',
      head: t('blotter.average'),
      width: 'minmax(74px, 1fr)',
      numeric: true,
      cell: (o) => level(o, o.average_price),
    },
    {
      id: 'sl',
      head: t('ticket.stopLoss'),
      width: 'minmax(74px, 1fr)',
      numeric: true,
      cell: (o) => level(o, o.stop_loss),
    },
    {
      id: 'tp',
      head: t('ticket.takeProfit'),
      width: 'minmax(74px, 1fr)',
      numeric: true,
      cell: (o) => level(o, o.take_profit),
    },
    {
      id: 'status',
      head: t('blotter.status'),
      width: 'minmax(96px, 1.2fr)',
      cell: (o) => (
        <span className="flex items-center gap-1.5" title={o.reason ?? undefined}>
          <Chip tone={TONES[o.status]}>{o.pending_cancel ? t('blotter.canceling') : t(`orderStatus.${o.status}`)}</Chip>
          <span className="truncate text-t2">{o.reason}</span>
        </span>
      ),
    },
    {
      id: 'source',
      head: t('blotter.source'),
      width: 'minmax(60px, 1fr)',
      cell: (o) => o.source,
      className: 'text-t2',
    },
    {
      id: 'cancel',
      head: '',
      width: '62px',
      cell: (o) =>
        isOver(o.status) ? (
          <Button
            variant="link"
            size="bare"
            className="h-6"
            aria-label={t('blotter.whyOf', { id: String(o.id) })}
            onClick={() => open({ kind: 'explain', id: String(o.id), title: `${symbolOf(o.instrument)} ${o.id}` })}
          >
            {t('action.why')}
          </Button>
        ) : (
          <Button
            variant="link"
            size="bare"
            className="h-6"
            disabled={o.pending_cancel}
            aria-label={t('blotter.cancelOf', { symbol: symbolOf(o.instrument), id: String(o.id) })}
            onClick={() =>
              cancel.mutate(
                { order_id: o.id },
                { onError: (cause) => toast({ tone: 'crit', title: t('toast.cancelFailed'), detail: cause.message }) },
              )
            }
          >
            {t('action.cancel')}
          </Button>
        ),
    },
  ];
  return (
    <Grid
      label={t('panel.orders')}
      columns={columns}
      rows={data}
      keyOf={(o) => String(o.id)}
      onActivate={(o) => open({ kind: 'explain', id: String(o.id), title: `${symbolOf(o.instrument)} ${o.id}` })}
    />
  );
}
