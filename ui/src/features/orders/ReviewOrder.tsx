import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/kit/Button';
import { Dialog } from '@/kit/Dialog';
import { toast } from '@/kit/toasts';
import { useDraft } from '@/lib/draft';
import * as fmt from '@/lib/format';
import { usePrefs } from '@/lib/prefs';
import { useUi } from '@/lib/ui';
import { useAction, useTransport } from '@/transport/hooks';
import { symbolOf } from '@/transport/instruments';
import { TransportError } from '@/transport/Transport';
import type { OrderArgs, OrderPreview } from '@/transport/types';
import { newClientId } from './clientId';
import { PreviewBox } from './PreviewBox';

/** The last look before an order leaves: account, mode, side, size, price and what it may lose. */
export function ReviewOrder({ order, preview }: { order: OrderArgs; preview: OrderPreview }) {
  const { t } = useTranslation();
  const transport = useTransport();
  const close = useUi((s) => s.close);
  const place = useAction('orders.place');
  const [armed, setArmed] = useState(false);
  const clientId = useRef('');
  if (!clientId.current) clientId.current = newClientId();
  useEffect(() => {
    const timer = setTimeout(() => setArmed(true), 500);
    return () => clearTimeout(timer);
  }, []);

  const send = () => {
    if (!armed || place.isPending || place.isSuccess) return;
    place.mutate(
      { ...order, client_order_id: clientId.current },
      {
        onSuccess: (placed) => {
          close();
          useDraft.getState().begin(order.instrument, { price: order.price ?? '' });
          const { onboarding, set } = usePrefs.getState();
          if (!onboarding.includes('order')) set({ onboarding: [...onboarding, 'order'] });
          toast({
            tone: 'info',
            cause: `placed-${placed.client_order_id}`,
            title: t('toast.placed', {
              side: t(order.side === 'buy' ? 'side.Buy' : 'side.Sell'),
              qty: fmt.quantity(order.qty),
              symbol: symbolOf(order.instrument),
            }),
            detail: placed.approval_id
              ? t('toast.waitsForApproval')
              : placed.status
                ? t(`orderStatus.${placed.status}`)
                : '',
            stays: 10_000,
            actions: placed.approval_id
              ? []
              : [
                  {
                    label: t('toast.cancelOrder'),
                    run: () => {
                      transport.call('orders.cancel', { client_order_id: placed.client_order_id }).catch((cause) => {
                        const error = TransportError.from(cause);
                        toast({ tone: 'crit', title: t('toast.cancelFailed'), detail: error.message });
                      });
                    },
                  },
                ],
          });
        },
      },
    );
  };
  const buy = order.side === 'buy';
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && !place.isPending && close()}
      title={preview.sentence}
      description={t('review.where', {
        account: preview.account,
        venue: preview.venue,
        mode: t(`ticket.modes.${preview.mode}`),
      })}
      closeLabel={t('action.close')}
      initialFocus={preview.mode === 'live' ? '[data-focus=cancel]' : '[data-focus=send]'}
      footer={
        <>
          <Button data-focus="cancel" onClick={close} disabled={place.isPending}>
            {t('action.cancel')}
          </Button>
          <Button
            data-focus="send"
            variant={buy ? 'buy' : 'sell'}
            aria-disabled={!armed}
            disabled={place.isPending}
            onClick={send}
          >
            {place.isPending
              ? t('review.sending')
              : t(buy ? 'review.sendBuy' : 'review.sendSell', {
                  qty: fmt.quantity(order.qty),
                  symbol: symbolOf(order.instrument),
                })}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-2.5">
        <dl className="grid grid-cols-[130px_1fr] gap-y-1">
          {(
            [
              ['review.side', t(buy ? 'side.Buy' : 'side.Sell')],
              ['review.type', t(`ticket.types.${order.order_type ?? 'market'}`)],
              ['ticket.quantity', fmt.quantity(order.qty)],
              ['ticket.limitPrice', order.price ? fmt.quantity(order.price) : null],
              ['ticket.stopPrice', order.stop ? fmt.quantity(order.stop) : null],
              ['ticket.trail', order.trail ? fmt.quantity(order.trail) : null],
              ['ticket.takeProfit', order.take_profit ? fmt.quantity(order.take_profit) : null],
              ['ticket.stopLoss', order.stop_loss ? fmt.quantity(order.stop_loss) : null],
            ] as const
          )
            .filter(([, value]) => value !== null)
            .map(([name, value]) => (
              <div key={name} className="contents">
                <dt className="text-t2">{t(name)}</dt>
                <dd className="font-medium">{value}</dd>
              </div>
            ))}
        </dl>
        <PreviewBox preview={preview} error={null} waiting={false} currency="" />
        {place.error ? (
          <div role="alert" className="rounded-sm border border-crit/60 bg-crit/10 p-2">
            <p className="font-medium text-crit">{place.error.message}</p>
            {place.error.reasons.map((reason) => (
              <p key={reason} className="text-t2">
                {reason}
              </p>
            ))}
            <p className="mt-1 font-mono text-xs text-t3">
              {place.error.code} {place.error.traceId ?? ''}
            </p>
          </div>
        ) : null}
      </div>
    </Dialog>
  );
}
