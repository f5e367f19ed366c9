import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/kit/Button';
import { Dialog } from '@/kit/Dialog';
import { Field, Input } from '@/kit/Field';
import { Toggle } from '@/kit/Toggle';
import * as fmt from '@/lib/format';
import { useUi } from '@/lib/ui';
import { useTransport } from '@/transport/hooks';
import { symbolOf } from '@/transport/instruments';
import { TransportError } from '@/transport/Transport';
import type { Position } from '@/transport/types';

function useArmed(): boolean {
  const [armed, setArmed] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setArmed(true), 500);
    return () => clearTimeout(timer);
  }, []);
  return armed;
}

/** Closes one position at market; asks whether its resting orders go too. */
export function ClosePosition({ position }: { position: Position }) {
  const { t } = useTranslation();
  const transport = useTransport();
  const close = useUi((s) => s.close);
  const armed = useArmed();
  const [withOrders, setWithOrders] = useState(true);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<TransportError | null>(null);
  const symbol = symbolOf(position.instrument);

  const run = async () => {
    if (!armed || busy) return;
    setBusy(true);
    setError(null);
    try {
      await transport.call('positions.close', { account: position.account, instrument: position.instrument });
      if (withOrders) {
        const { orders } = await transport.call('orders.list', {
          account: position.account,
          instrument: position.instrument,
          open_only: true,
        });
        await Promise.all(
          orders
            .filter((order) => !order.reduce_only || !order.parent)
            .map((order) => transport.call('orders.cancel', { order_id: order.id })),
        );
      }
      close();
    } catch (cause) {
      setError(TransportError.from(cause));
      setBusy(false);
    }
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && close()}
      title={t('close.title', {
        side: t(position.side === 'short' ? 'side.Short' : 'side.Long'),
        qty: fmt.quantity(position.qty),
        symbol,
      })}
      description={t('close.text', { account: position.account })}
      closeLabel={t('action.close')}
      initialFocus="[data-focus=cancel]"
      footer={
        <>
          <Button data-focus="cancel" onClick={close}>
            {t('action.cancel')}
          </Button>
          <Button variant="danger-solid" aria-disabled={!armed} disabled={busy} onClick={() => void run()}>
            {busy ? t('review.sending') : t('close.run', { symbol })}
          </Button>
        </>
      }
    >
      <dl className="mb-3 grid grid-cols-[130px_1fr] gap-y-1">
        <dt className="text-t2">{t('blotter.entry')}</dt>
        <dd>{fmt.quantity(position.entry_price)}</dd>
        <dt className="text-t2">{t('blotter.mark')}</dt>
        <dd>{fmt.quantity(position.mark)}</dd>
        <dt className="text-t2">{t('blotter.open')}</dt>
        <dd className={fmt.toneClass(fmt.direction(position.unrealized_pnl))}>{fmt.change(position.unrealized_pnl)}</dd>
      </dl>
      <Toggle checked={withOrders} onChange={setWithOrders} label={t('close.withOrders')} />
      {error ? (
        <p role="alert" className="mt-3 text-crit">
          {error.message}
        </p>
      ) : null}
    </Dialog>
  );
}

/** Closes everything, after the words were typed. */
export function CloseAll({ positions }: { positions: Position[] }) {
  const { t } = useTranslation();
  const transport = useTransport();
  const close = useUi((s) => s.close);
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const [results, setResults] = useState<{ symbol: string; error: string | null }[]>([]);
  const phrase = t('close.phrase');
  const run = async () => {
    setBusy(true);
    const settled = await Promise.all(
      positions.map(async (position) => {
        try {
          await transport.call('positions.close', { account: position.account, instrument: position.instrument });
          return { symbol: symbolOf(position.instrument), error: null };
        } catch (cause) {
          return { symbol: symbolOf(position.instrument), error: TransportError.from(cause).message };
        }
      }),
    );
    setResults(settled);
    setBusy(false);
    if (settled.every((each) => each.error === null)) close();
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && close()}
      title={t('close.allTitle', { count: positions.length })}
      description={positions.map((position) => symbolOf(position.instrument)).join(', ')}
      closeLabel={t('action.close')}
      footer={
        <>
          <Button onClick={close}>{t('action.cancel')}</Button>
          <Button
            variant="danger-solid"
            disabled={busy || typed !== phrase || positions.length === 0}
            onClick={() => void run()}
          >
            {t('close.runAll')}
          </Button>
        </>
      }
    >
      <Field label={t('close.type', { phrase })}>
        {(props) => <Input {...props} value={typed} onChange={(event) => setTyped(event.target.value)} />}
      </Field>
      <ul className="mt-3">
        {results
          .filter((each) => each.error)
          .map((each) => (
            <li key={each.symbol} className="text-crit">
              {each.symbol}: {each.error}
            </li>
          ))}
      </ul>
    </Dialog>
  );
}
