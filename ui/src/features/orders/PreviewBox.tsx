import { ShieldAlert, ShieldCheck } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/kit/Button';
import { cx } from '@/kit/cx';
import * as fmt from '@/lib/format';
import type { TransportError } from '@/transport/Transport';
import type { OrderPreview } from '@/transport/types';

/** What the engine says this order would cost, risk and gain, and what its risk gate thinks of it. */
export function PreviewBox({
  preview,
  error,
  waiting,
  currency,
}: {
  preview: OrderPreview | undefined;
  error: TransportError | null;
  waiting: boolean;
  currency: string;
}) {
  const { t } = useTranslation();
  const unit = preview?.currency ?? currency;
  const row = (name: string, value: ReactNode) => (
    <div key={name} className="contents">
      <dt className="text-t2">{name}</dt>
      <dd className="live truncate">{value}</dd>
    </div>
  );
  const exit = (value: string | null | undefined, ratio?: string | null) =>
    value ? (
      <span className={fmt.toneClass(fmt.direction(value))}>
        {fmt.change(value)}
        {ratio ? ` (${t('ticket.ofEquity', { ratio: fmt.percent(ratio.replace(/^-/, ''), 2) })})` : ''}
      </span>
    ) : (
      '–'
    );
  return (
    <>
      <div aria-busy={waiting} className="min-h-24 rounded-md bg-bg2 px-2 py-1.5">
        {preview ? (
          <dl aria-label={t('ticket.preview')} className="grid grid-cols-[90px_1fr] gap-y-0.5">
            {row(t('ticket.notional'), fmt.money(preview.notional, unit))}
            {row(t('ticket.margin'), fmt.money(preview.margin, unit))}
            {row(t('ticket.fee'), fmt.money(preview.fee, unit))}
            {row(t('ticket.loss'), exit(preview.loss_at_stop, preview.loss_at_stop_equity_ratio))}
            {row(t('ticket.gain'), exit(preview.gain_at_target))}
          </dl>
        ) : (
          <p className="text-t2">{error ? error.message : waiting ? t('state.loading') : t('ticket.previewEmpty')}</p>
        )}
      </div>
      <Checks preview={preview} />
    </>
  );
}

function Checks({ preview }: { preview: OrderPreview | undefined }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  if (!preview) return <div className="h-5" />;
  const failed = preview.checks.filter((check) => !check.pass);
  const Icon = failed.length ? ShieldAlert : ShieldCheck;
  const shown = open ? preview.checks : failed;
  return (
    <div className="flex flex-col gap-1">
      <div className="flex items-center gap-1.5 text-t2">
        <Icon aria-hidden className={cx('size-3.5', failed.length ? 'text-crit' : 'text-ok')} />
        <span className="flex-1">
          {t('ticket.checks', { passed: preview.checks.length - failed.length, total: preview.checks.length })}
        </span>
        <Button variant="link" size="bare" className="min-h-6" aria-expanded={open} onClick={() => setOpen(!open)}>
          {t('ticket.details')}
        </Button>
      </div>
      {shown.length ? (
        <ul className="flex flex-col gap-0.5 text-xs">
          {shown.map((check) => (
            <li key={check.check} className="flex gap-1.5">
              <span className={check.pass ? 'text-ok' : 'font-semibold text-crit'}>
                {t(check.pass ? 'ticket.pass' : 'ticket.fail')}
              </span>
              <span className="text-t1">{check.check}</span>
              <span className="min-w-0 flex-1 text-t2">{check.reason}</span>
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}
