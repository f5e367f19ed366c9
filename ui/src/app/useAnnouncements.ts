import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { toast } from '@/kit/toasts';
import * as fmt from '@/lib/format';
import { useUi } from '@/lib/ui';
import { symbolOf } from '@/transport/instruments';
import { useLive } from '@/transport/live';

/** New fills, refused orders and approvals are said once, from the engine's events and nothing else. */
export function useAnnouncements(): void {
  const { t } = useTranslation();
  const fills = useLive('fills', {}).data;
  const orders = useLive('orders', {}).data;
  const approvals = useLive('approvals', {}).data;
  const seen = useRef<{ fills: Set<string> | null; orders: Set<number> | null; approvals: Set<string> | null }>({
    fills: null,
    orders: null,
    approvals: null,
  });

  useEffect(() => {
    if (!fills) return;
    const known = seen.current.fills;
    seen.current.fills = new Set(fills.map((fill) => fill.id));
    if (!known) return;
    for (const fill of fills)
      if (!known.has(fill.id))
        toast({
          tone: 'ok',
          cause: `fill-${fill.order_id}`,
          title: t('toast.filled', {
            side: t(fill.side === 'buy' ? 'side.Buy' : 'side.Sell'),
            qty: fmt.quantity(fill.qty),
            symbol: symbolOf(fill.instrument),
          }),
          detail: t('toast.filledAt', { price: fmt.quantity(fill.price) }),
          stays: 10_000,
          actions: [
            {
              label: t('action.why'),
              run: () => useUi.getState().open({ kind: 'explain', id: fill.id, title: symbolOf(fill.instrument) }),
            },
          ],
        });
  }, [fills, t]);

  useEffect(() => {
    if (!orders) return;
    const refused = orders.filter((order) => order.status === 'rejected' || order.status === 'denied');
    const known = seen.current.orders;
    seen.current.orders = new Set(refused.map((order) => order.id));
    if (!known) return;
    for (const order of refused)
      if (!known.has(order.id))
        toast({
          tone: 'crit',
          cause: `refused-${order.reason ?? order.id}`,
          title: t(order.status === 'denied' ? 'toast.denied' : 'toast.rejected', {
            symbol: symbolOf(order.instrument),
          }),
          detail: order.reason ?? '',
          stays: null,
        });
  }, [orders, t]);

  useEffect(() => {
    if (!approvals) return;
    const waiting = approvals.filter((each) => each.state === 'waiting');
    const known = seen.current.approvals;
    seen.current.approvals = new Set(waiting.map((each) => each.id));
    for (const approval of waiting)
      if (!known?.has(approval.id))
        toast({
          tone: 'warn',
          cause: `approval-${approval.id}`,
          title: t('toast.approval', { actor: approval.actor }),
          detail: approval.sentence,
          stays: null,
          actions: [{ label: t('toast.look'), run: () => useUi.getState().show('approvals') }],
        });
  }, [approvals, t]);
}
