import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/kit/Button';
import { Dialog } from '@/kit/Dialog';
import { Field, Input } from '@/kit/Field';
import { StatusDot } from '@/kit/StatusDot';
import { isWorking } from '@/lib/orderStatus';
import { useUi } from '@/lib/ui';
import { useTransport } from '@/transport/hooks';
import { symbolOf } from '@/transport/instruments';
import { useLive } from '@/transport/live';
import { TransportError } from '@/transport/Transport';

interface Outcome {
  what: string;
  error: string | null;
}

/** After the halt: what is left at the venue and the two further steps, each asked for on its own. */
export function HaltOptions() {
  const { t } = useTranslation();
  const transport = useTransport();
  const close = useUi((s) => s.close);
  const orders = (useLive('orders', {}).data ?? []).filter((order) => isWorking(order.status));
  const positions = (useLive('positions', {}).data?.positions ?? []).filter((position) => position.side !== 'flat');
  const [asking, setAsking] = useState<'cancel' | 'flatten' | null>(null);
  const [busy, setBusy] = useState(false);
  const [outcomes, setOutcomes] = useState<Outcome[]>([]);

  const each = async <T,>(items: T[], what: (item: T) => string, call: (item: T) => Promise<unknown>) => {
    setBusy(true);
    const settled = await Promise.all(
      items.map((item) =>
        call(item).then(
          () => ({ what: what(item), error: null }),
          (cause) => ({ what: what(item), error: TransportError.from(cause).message }),
        ),
      ),
    );
    setOutcomes(settled);
    setBusy(false);
    setAsking(null);
  };
  const cancelAll = () =>
    each(
      orders,
      (o) => `${symbolOf(o.instrument)} ${o.id}`,
      (o) => transport.call('orders.cancel', { order_id: o.id }),
    );
  const flatten = () =>
    each(
      positions,
      (p) => symbolOf(p.instrument),
      (p) => transport.call('positions.close', { account: p.account, instrument: p.instrument }),
    );
  const flat = orders.length === 0 && positions.length === 0;

  const step = (kind: 'cancel' | 'flatten', count: number, text: string, label: string, run: () => Promise<void>) => (
    <div className="flex min-h-11 items-center gap-3 rounded-md border border-line px-3">
      <StatusDot status={count === 0 ? 'ok' : 'degraded'} />
      <span className="flex-1">{text}</span>
      {count === 0 ? (
        <span className="text-ok">{t('halt.done')}</span>
      ) : asking === kind ? (
        <>
          <Button size="sm" onClick={() => setAsking(null)}>
            {t('action.cancel')}
          </Button>
          <Button size="sm" variant="danger-solid" disabled={busy} onClick={() => void run()}>
            {busy ? t('halt.working') : t('halt.step')}
          </Button>
        </>
      ) : (
        <Button size="sm" variant="danger" disabled={busy} onClick={() => setAsking(kind)}>
          {label}
        </Button>
      )}
    </div>
  );
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && close()}
      title={t('halt.title')}
      description={t('halt.text')}
      closeLabel={t('action.close')}
      footer={<Button onClick={close}>{flat ? t('action.close') : t('halt.leave')}</Button>}
    >
      <div className="flex flex-col gap-2">
        {step(
          'cancel',
          orders.length,
          t('halt.openOrders', { count: orders.length }),
          t('halt.cancelOrders'),
          cancelAll,
        )}
        {step(
          'flatten',
          positions.length,
          t('halt.openPositions', { count: positions.length }),
          t('halt.flatten'),
          flatten,
        )}
        {flat ? <p className="text-ok">{t('halt.flat')}</p> : null}
        <ul aria-live="assertive" className="text-xs">
          {outcomes.map((outcome) => (
            <li key={outcome.what} className={outcome.error ? 'text-crit' : 'text-t2'}>
              {outcome.what}: {outcome.error ?? t('halt.done')}
            </li>
          ))}
        </ul>
      </div>
    </Dialog>
  );
}

export function Resume() {
  const { t } = useTranslation();
  const transport = useTransport();
  const queries = useQueryClient();
  const close = useUi((s) => s.close);
  const [reason, setReason] = useState('');
  const [error, setError] = useState<TransportError | null>(null);
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    try {
      await transport.call('risk.resume', { reason });
      await queries.invalidateQueries({ queryKey: ['risk.show'] });
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
      title={t('halt.resumeTitle')}
      description={t('halt.resumeText')}
      closeLabel={t('action.close')}
      footer={
        <>
          <Button onClick={close}>{t('action.cancel')}</Button>
          <Button variant="solid" disabled={busy || reason.trim() === ''} onClick={() => void run()}>
            {t('halt.resume')}
          </Button>
        </>
      }
    >
      <Field label={t('halt.reason')} hint={t('halt.reasonHint')} error={error?.message}>
        {(props) => <Input {...props} value={reason} onChange={(event) => setReason(event.target.value)} />}
      </Field>
    </Dialog>
  );
}
