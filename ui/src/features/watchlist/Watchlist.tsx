import { type KeyboardEvent, useEffect, useMemo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { cx } from '@/kit/cx';
import { sparkPath } from '@/kit/Sparkline';
import { EmptyState, ErrorState, Skeleton } from '@/kit/states';
import * as fmt from '@/lib/format';
import { type Group, useLinks } from '@/lib/links';
import { useCommand } from '@/transport/hooks';
import { useQuoteBook } from '@/transport/live';
import type { Instrument, Quote } from '@/transport/types';
import { SymbolCard } from './SymbolCard';

const SECTIONS = ['crypto', 'equity', 'fx', 'other'] as const;
type Section = (typeof SECTIONS)[number];
/** How a list starts before anybody arranged it: what most look at first, then by name. */
const FIRST = [
  'BTC',
  'ETH',
  'SOL',
  'BNB',
  'DOGE',
  'LINK',
  'AVAX',
  'XRP',
  'AAPL',
  'NVDA',
  'TSLA',
  'SPY',
  'EUR',
  'USD/JPY',
  'GBP',
];
const rank = (instrument: Instrument): number => {
  const at = FIRST.findIndex((start) => instrument.symbol.startsWith(start));
  const metal = instrument.asset_class === 'metal' ? FIRST.length : 0;
  return (at < 0 ? FIRST.length : at) + metal;
};

const sectionOf = (instrument: Instrument): Section =>
  instrument.asset_class === 'crypto' || instrument.asset_class === 'equity'
    ? instrument.asset_class
    : instrument.asset_class === 'fx' || instrument.asset_class === 'metal'
      ? 'fx'
      : 'other';

/** Symbol and venue, the day's line, last price, change. */
const TRACKS = 'grid h-6 grid-cols-[minmax(84px,1fr)_minmax(10px,32px)_66px_44px] items-center px-2';

export function Watchlist({ group }: { group: Group }) {
  const { t } = useTranslation();
  const query = useCommand('symbols.list', {}, { staleTime: 60_000 });
  const chosen = useLinks((s) => s.instrument[group]);
  const choose = useLinks((s) => s.choose);
  const list = useRef<HTMLDivElement>(null);

  const sections = useMemo(() => {
    const all = [...(query.data?.instruments ?? [])].sort(
      (a, b) => rank(a) - rank(b) || a.symbol.localeCompare(b.symbol),
    );
    return SECTIONS.map((section) => ({ section, rows: all.filter((i) => sectionOf(i) === section) })).filter(
      ({ rows }) => rows.length > 0,
    );
  }, [query.data]);
  const flat = useMemo(() => sections.flatMap(({ rows }) => rows), [sections]);

  if (query.isPending) return <Skeleton label={t('state.loading')} rows={14} />;
  if (query.error)
    return (
      <ErrorState
        message={query.error.message}
        code={query.error.code}
        retryLabel={t('action.retry')}
        copyLabel={t('action.copyDetails')}
        onRetry={() => void query.refetch()}
      />
    );
  if (flat.length === 0) return <EmptyState title={t('watchlist.empty')}>{t('watchlist.emptyText')}</EmptyState>;

  const onKeyDown = (event: KeyboardEvent) => {
    const at = flat.findIndex((i) => i.id === chosen);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: flat.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = flat[Math.max(0, Math.min(flat.length - 1, to))];
    if (!next) return;
    choose(group, next.id);
    list.current?.querySelector(`[data-id="${CSS.escape(next.id)}"]`)?.scrollIntoView({ block: 'nearest' });
  };

  return (
    <div className="flex h-full flex-col">
      <div
        ref={list}
        role="grid"
        aria-label={t('watchlist.title')}
        aria-rowcount={flat.length + 1}
        aria-colcount={4}
        aria-activedescendant={`watch-${chosen}`}
        tabIndex={0}
        onKeyDown={onKeyDown}
        className="min-h-0 flex-1 overflow-auto"
      >
        <div
          role="row"
          tabIndex={-1}
          className={cx(TRACKS, 'sticky top-0 z-10 border-b border-line bg-bg1 text-2xs text-t2')}
        >
          <span role="columnheader" tabIndex={-1}>
            {t('watchlist.symbol')}
          </span>
          <span role="columnheader" tabIndex={-1} aria-label={t('watchlist.trend')} />
          <span role="columnheader" tabIndex={-1} className="num">
            {t('watchlist.last')}
          </span>
          <span role="columnheader" tabIndex={-1} className="num">
            {t('watchlist.day')}
          </span>
        </div>
        {sections.map(({ section, rows }) => (
          <div role="rowgroup" key={section} aria-label={t(`watchlist.section.${section}`)}>
            <div
              role="row"
              tabIndex={-1}
              className="flex h-6 items-center border-b border-line bg-bg2 px-2 text-xs text-t2"
            >
              <span role="gridcell" tabIndex={-1} aria-colspan={4}>
                {t(`watchlist.section.${section}`)}
              </span>
            </div>
            {rows.map((instrument) => (
              <Row
                key={instrument.id}
                instrument={instrument}
                selected={instrument.id === chosen}
                onChoose={() => choose(group, instrument.id)}
              />
            ))}
          </div>
        ))}
      </div>
      <SymbolCard instrumentId={chosen} />
    </div>
  );
}

/** Painted by the quote book: React renders it once. */
function Row({ instrument, selected, onChoose }: { instrument: Instrument; selected: boolean; onChoose: () => void }) {
  const book = useQuoteBook();
  const row = useRef<HTMLDivElement>(null);
  const last = useRef<HTMLSpanElement>(null);
  const day = useRef<HTMLSpanElement>(null);
  const spark = useRef<SVGPathElement>(null);
  useEffect(() => {
    let shown = '';
    return book.watch(instrument.id, (quote: Quote) => {
      if (!last.current || !day.current || !spark.current || !row.current) return;
      const text = fmt.price(quote.last, instrument.price_decimals);
      if (text !== shown) {
        if (shown) {
          const way = Number(quote.last) >= Number(shown.replace(/[^\d.]/g, '')) ? 'flash-up' : 'flash-down';
          last.current.classList.remove('flash-up', 'flash-down');
          requestAnimationFrame(() => last.current?.classList.add(way));
        }
        last.current.textContent = text;
        shown = text;
      }
      const tone = fmt.direction(quote.change_24h);
      day.current.textContent = fmt.percentChange(quote.change_24h);
      day.current.className = cx('num live', fmt.toneClass(tone));
      spark.current.setAttribute('d', sparkPath(quote.spark, 46, 12));
      spark.current.setAttribute('class', fmt.toneClass(tone));
      row.current.dataset.freshness = quote.stale ? 'stale' : 'fresh';
    });
  }, [book, instrument]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid handles the keys (aria-activedescendant)
    <div
      ref={row}
      id={`watch-${instrument.id}`}
      data-id={instrument.id}
      role="row"
      tabIndex={-1}
      aria-selected={selected}
      onClick={onChoose}
      className={cx(
        TRACKS,
        'border-b border-line/60 hover:bg-bg2',
        'aria-selected:bg-select/70 aria-selected:shadow-[inset_2px_0_0_var(--accent)]',
      )}
    >
      <span role="gridcell" tabIndex={-1} title={instrument.id} className="truncate font-medium">
        {instrument.symbol} <span className="ml-0.5 text-2xs font-normal text-t3">{instrument.venue}</span>
      </span>
      <span role="gridcell" tabIndex={-1} className="flex justify-center">
        <svg aria-hidden="true" viewBox="0 -1 46 14" preserveAspectRatio="none" className="h-3.5 w-full">
          <path ref={spark} d="" fill="none" stroke="currentColor" strokeWidth="1.1" />
        </svg>
      </span>
      <span role="gridcell" tabIndex={-1} className="num">
        <span ref={last} className="live rounded-[3px] px-0.5">
          –
        </span>
      </span>
      <span role="gridcell" tabIndex={-1} className="num" ref={day}>
        –
      </span>
    </div>
  );
}
