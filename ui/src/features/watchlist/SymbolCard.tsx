import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Chip } from '@/kit/Chip';
import { cx } from '@/kit/cx';
import { sparkPath } from '@/kit/Sparkline';
import * as fmt from '@/lib/format';
import { useInstrument } from '@/transport/instruments';
import { useQuote } from '@/transport/live';

/** What the chosen symbol is and did in the last day. */
export function SymbolCard({ instrumentId }: { instrumentId: string }) {
  const { t } = useTranslation();
  const instrument = useInstrument(instrumentId);
  const quote = useQuote(instrumentId);
  if (!instrument) return null;
  const d = instrument.price_decimals;
  const tone = fmt.direction(quote?.change_24h);
  const rows: [string, ReactNode][] = quote
    ? [
        [t('symbol.range'), `${fmt.price(quote.low_24h, d)} – ${fmt.price(quote.high_24h, d)}`],
        [t('symbol.volume'), `${fmt.compact(quote.volume_24h)} ${instrument.base}`],
        [t('symbol.quote'), `${fmt.price(quote.bid, d)} / ${fmt.price(quote.ask, d)}`],
        [
          t('symbol.change'),
          <span key="change" className={fmt.toneClass(tone)}>
            {fmt.arrow(tone)} {fmt.percentChange(quote.change_24h)}%
          </span>,
        ],
        [t('symbol.step'), `${fmt.quantity(instrument.tick_size)} · ${fmt.quantity(instrument.quantity_step)}`],
        [t('symbol.fees'), `${fmt.percent(instrument.maker_fee, 2)} / ${fmt.percent(instrument.taker_fee, 2)}`],
      ]
    : [];
  return (
    <section aria-label={t('symbol.title')} className="shrink-0 border-t border-line px-2.5 py-2">
      <h2 className="mb-1.5 flex items-baseline gap-2 font-semibold">
        {instrument.symbol} <span className="truncate font-normal text-t2">{instrument.name}</span>
        <span title={t('symbol.venue', { venue: instrument.venue })} className="inline-flex self-center">
          <Chip>{instrument.venue}</Chip>
        </span>
        {quote ? (
          <svg aria-hidden="true" viewBox="0 -1 60 14" className={cx('ml-auto h-3.5 w-15', fmt.toneClass(tone))}>
            <path d={sparkPath(quote.spark, 60, 12)} fill="none" stroke="currentColor" strokeWidth="1.1" />
          </svg>
        ) : null}
      </h2>
      <dl className="grid grid-cols-[112px_1fr] gap-y-1">
        {rows.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-t2">{name}</dt>
            <dd className="live truncate">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
