import { useTranslation } from 'react-i18next';
import { EmptyState, ErrorState, Skeleton } from '@/kit/states';
import { add, decimal, div, mul, parseDecimal, sign, toText } from '@/lib/decimal';
import { useDraft } from '@/lib/draft';
import * as fmt from '@/lib/format';
import { type Group, useLinks } from '@/lib/links';
import { isWorking } from '@/lib/orderStatus';
import { useUi } from '@/lib/ui';
import { useInstrument } from '@/transport/instruments';
import { useLive, useQuote } from '@/transport/live';
import type { Instrument } from '@/transport/types';

type Row = [price: string, qty: string, total: string];

/** Bids and asks with their running totals as bars; a level that holds an order of ours has a dot. */
export function DepthPanel({ group }: { group: Group }) {
  const { t } = useTranslation();
  const id = useLinks((s) => s.instrument[group]);
  const instrument = useInstrument(id);
  const { data: depth, error } = useLive('depth', { instrument: id });
  const orders = useLive('orders', {}).data;
  const quote = useQuote(id);

  if (error && !depth)
    return (
      <ErrorState
        message={error.message}
        code={error.code}
        retryLabel={t('action.retry')}
        copyLabel={t('action.copyDetails')}
      />
    );
  if (!depth || !instrument) return <Skeleton label={t('state.loading')} rows={16} />;
  if (depth.bids.length === 0 && depth.asks.length === 0)
    return <EmptyState title={t('depth.empty')}>{t('depth.emptyText')}</EmptyState>;

  const mine = new Set(
    (orders ?? [])
      .filter((order) => order.instrument === id && order.price && isWorking(order.status))
      .map((order) => String(Number(order.price))),
  );
  const asks = depth.asks.slice(0, 10).reverse();
  const bids = depth.bids.slice(0, 10);
  const largest = Math.max(Number(asks[0]?.[2] ?? 0), Number(bids.at(-1)?.[2] ?? 0), 1e-9);
  const tone = fmt.direction(quote?.change_24h);
  const bidShare = share(bids.at(-1)?.[2], asks[0]?.[2]);

  return (
    <div className="flex h-full flex-col text-sm">
      <div className="grid h-6 shrink-0 grid-cols-3 items-center border-b border-line px-2.5 text-2xs text-t2">
        <span>{t('depth.price')}</span>
        <span className="num">{t('depth.size', { base: instrument.base })}</span>
        <span className="num">{t('depth.total')}</span>
      </div>
      <Side label={t('depth.asks')} rows={asks} side="ask" largest={largest} instrument={instrument} mine={mine} end />
      <div className="flex h-6.5 shrink-0 items-center gap-3 border-y border-line px-2.5">
        <span className={`live text-md font-semibold ${fmt.toneClass(tone)}`}>
          {fmt.arrow(tone)} {fmt.price(quote?.last, instrument.price_decimals)}
        </span>
        <span className="num flex-1 text-t2">
          {t('depth.spread', { spread: fmt.price(depth.spread, instrument.price_decimals) })}
        </span>
        <span className="text-t2">{t('depth.bp', { bp: fmt.basisPoints(depth.spread_bp) })}</span>
      </div>
      <Side label={t('depth.bids')} rows={bids} side="bid" largest={largest} instrument={instrument} mine={mine} />
      <div className="flex h-7 shrink-0 items-center gap-2 border-t border-line px-2.5 text-xs">
        <span className="text-up">{t('depth.bidShare', { share: fmt.percent(bidShare) })}</span>
        <span aria-hidden className="flex h-1 flex-1 overflow-hidden rounded-full bg-down">
          <span className="bg-up" style={{ width: `${Number(bidShare) * 100}%` }} />
        </span>
        <span className="text-down">{t('depth.askShare', { share: fmt.percent(1 - Number(bidShare)) })}</span>
      </div>
    </div>
  );
}

/** Part of the bids in all that is shown, `"0.5"` when nothing is. */
export function share(bids: string | undefined, asks: string | undefined): string {
  const b = parseDecimal(bids ?? '0') ?? decimal('0');
  const sum = add(b, parseDecimal(asks ?? '0') ?? decimal('0'));
  return sign(sum) === 0 ? '0.5' : toText(div(mul(b, decimal('1')), sum, 4));
}

function Side({
  label,
  rows,
  side,
  largest,
  instrument,
  mine,
  end = false,
}: {
  label: string;
  rows: Row[];
  side: 'bid' | 'ask';
  largest: number;
  instrument: Instrument;
  mine: Set<string>;
  end?: boolean;
}) {
  const { t } = useTranslation();
  const begin = useDraft((s) => s.begin);
  return (
    <ul aria-label={label} className={`flex min-h-0 flex-1 flex-col overflow-hidden ${end ? 'justify-end' : ''}`}>
      {rows.map(([price, qty, total]) => (
        <li key={price} className="relative max-h-6 min-h-[15px] flex-1">
          <button
            type="button"
            tabIndex={-1}
            title={t('depth.toTicket')}
            onClick={() => {
              begin(instrument.id, { type: 'limit', price, side: side === 'bid' ? 'buy' : 'sell' });
              useUi.getState().show('ticket');
            }}
            className="grid h-full w-full grid-cols-3 items-center px-2.5 text-left hover:bg-bg2"
          >
            <span
              aria-hidden
              className={`absolute inset-y-px right-0 ${side === 'bid' ? 'bg-up/12' : 'bg-down/12'}`}
              style={{ width: `${Math.min(100, (Number(total) / largest) * 82)}%` }}
            />
            <span className={`live relative ${side === 'bid' ? 'text-up' : 'text-down'}`}>
              {fmt.price(price, instrument.price_decimals)}
            </span>
            <span className="live num relative">
              {fmt.quantity(qty, Math.min(3, Math.max(instrument.quantity_decimals, 0)))}
              {mine.has(String(Number(price))) ? (
                <span
                  role="img"
                  aria-label={t('depth.own')}
                  className="ml-1 inline-block size-1.5 rounded-full bg-accent align-middle"
                />
              ) : null}
            </span>
            <span className="live num relative text-t2">
              {fmt.quantity(total, Math.min(3, instrument.quantity_decimals))}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
