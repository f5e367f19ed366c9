import { useEffect, useMemo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { cx } from '@/kit/cx';
import * as fmt from '@/lib/format';
import { useQuoteBook } from '@/transport/live';
import type { IndicatorInfo, Instrument, Quote } from '@/transport/types';
import { CLOSE, HIGH, LOW, OPEN, VOLUME } from './candleStore';
import type { ChartController } from './controller';
import { parseColumn, planFor, studyTitle } from './studies';

interface Entry {
  study: string;
  title: string;
  color: string;
  pane: number;
  columns: number[];
}

/** Values at the crosshair, else of the newest candle. Text nodes are written directly: this moves with every tick. */
export function ChartLegend({
  chart,
  instrument,
  indicators,
  merged,
}: {
  chart: ChartController;
  instrument: Instrument | undefined;
  indicators: IndicatorInfo[];
  merged: number;
}) {
  const { t } = useTranslation();
  const box = useRef<HTMLDivElement>(null);
  const day = useRef<HTMLSpanElement>(null);
  const book = useQuoteBook();
  const decimals = instrument?.price_decimals ?? chart.store.priceDecimals;
  const names = chart.store.names.join();

  const entries = useMemo(() => {
    const list = names.split(',').length ? chart.store.names : [];
    const plan = planFor(list, decimals, indicators, false);
    const byStudy = new Map<string, Entry>();
    for (const plot of plan.plots) {
      const entry = byStudy.get(plot.study) ?? {
        study: plot.study,
        title: studyTitle(plot.study),
        color: plot.color,
        pane: plot.pane,
        columns: [],
      };
      const { output } = parseColumn(list[plot.column] ?? '');
      if (output !== 'middle') entry.columns.push(plot.column);
      byStudy.set(plot.study, entry);
    }
    return [...byStudy.values()];
  }, [names, decimals, indicators, chart]);

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const cells = new Map<string, HTMLElement>();
    for (const cell of element.querySelectorAll<HTMLElement>('[data-cell]')) cells.set(cell.dataset.cell ?? '', cell);
    const write = (id: string, text: string) => {
      const cell = cells.get(id);
      if (cell && cell.textContent !== text) cell.textContent = text;
    };
    const paint = () => {
      const row = chart.readingRow;
      const read = (column: number) => chart.value(column, row);
      const rising = read(CLOSE) >= read(OPEN);
      element.dataset.rising = String(rising);
      for (const [id, column] of [
        ['o', OPEN],
        ['h', HIGH],
        ['l', LOW],
        ['c', CLOSE],
      ] as const)
        write(id, fmt.price(read(column), decimals));
      write('v', fmt.price(read(VOLUME), 1));
      for (const entry of entries) {
        const digits = entry.pane === 0 ? decimals : 1;
        const values = entry.columns
          .map((column) => read(column))
          .map((v) => (Number.isNaN(v) ? '–' : fmt.price(v, digits)));
        write(entry.study, values.length === 2 && entry.pane === 0 ? values.reverse().join(' – ') : values.join('  '));
      }
    };
    const panes = () => {
      const tops = chart.port.paneTops();
      for (const block of element.querySelectorAll<HTMLElement>('[data-pane]'))
        block.style.top = `${(tops[Number(block.dataset.pane)] ?? 0) + 6}px`;
    };
    chart.onReading = () => {
      paint();
      panes();
    };
    paint();
    requestAnimationFrame(panes);
    return () => {
      chart.onReading = () => {};
    };
  }, [chart, entries, decimals]);

  useEffect(() => {
    if (!instrument) return;
    return book.watch(instrument.id, (quote: Quote) => {
      const element = day.current;
      if (!element) return;
      const tone = fmt.direction(quote.change_24h);
      element.textContent = `${fmt.arrow(tone)} ${fmt.percentChange(quote.change_24h)}% ${t('chart.day')}`;
      element.className = fmt.toneClass(tone);
    });
  }, [book, instrument, t]);

  const value = 'font-medium text-t1';
  return (
    <div ref={box} className="group/legend pointer-events-none absolute inset-0 z-[5] text-sm">
      <div data-pane={0} className="absolute left-2.5 flex max-w-[80%] flex-col gap-1">
        <div className="flex flex-wrap gap-x-2.5 text-t2">
          {(['o', 'h', 'l', 'c'] as const).map((id) => (
            <span key={id}>
              {t(`chart.ohlc.${id}`)}{' '}
              <span data-cell={id} className="text-down group-data-[rising=true]/legend:text-up" />
            </span>
          ))}
          <span ref={day} />
          {merged > 1 ? <span className="text-warn">{t('chart.merged', { count: merged })}</span> : null}
        </div>
        <div className="flex flex-wrap gap-x-2.5 text-t2">
          {entries
            .filter((entry) => entry.pane === 0)
            .map((entry) => (
              <span key={entry.study} className="flex items-center gap-1.5">
                <span className="h-0.5 w-2.5 rounded-full" style={{ background: entry.color }} />
                {entry.title} <span data-cell={entry.study} className={value} />
              </span>
            ))}
        </div>
      </div>
      <div data-pane={1} className="absolute left-2.5 text-t2">
        {t('chart.volume')} <span data-cell="v" className={value} /> {instrument?.base}
      </div>
      {entries
        .filter((entry) => entry.pane > 0)
        .map((entry) => (
          <div key={entry.study} data-pane={entry.pane} className={cx('absolute left-2.5 text-t2')}>
            {entry.title} <span data-cell={entry.study} className={value} />
          </div>
        ))}
    </div>
  );
}
