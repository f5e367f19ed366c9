import { Eye, EyeOff, TriangleAlert, X } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { IconButton } from '@/kit/Button';
import { cx } from '@/kit/cx';
import * as fmt from '@/lib/format';
import { token } from '@/lib/prefs';
import { useQuoteBook } from '@/transport/live';
import type { Instrument, Quote } from '@/transport/types';
import { CLOSE, HIGH, LOW, OPEN, VOLUME } from './candleStore';
import type { ChartController } from './controller';
import type { StudyActions } from './picker/useStudies';
import type { Plan, Plot } from './port';
import { colorsOf } from './studies';
import { type Study, studyTitle } from './study';

/** Values at the crosshair, else of the newest candle. Text nodes are written directly: this moves with every tick. */
export function ChartLegend({
  chart,
  instrument,
  plan,
  broken,
  merged,
  onEdit,
  actions,
}: {
  chart: ChartController;
  instrument: Instrument | undefined;
  plan: Plan | null;
  /** Studies the engine cannot compute, with the reason. */
  broken: ReadonlyMap<string, string>;
  merged: number;
  onEdit: (study: number) => void;
  actions: StudyActions;
}) {
  const { t } = useTranslation();
  const box = useRef<HTMLDivElement>(null);
  const day = useRef<HTMLSpanElement>(null);
  const book = useQuoteBook();
  const decimals = instrument?.price_decimals ?? chart.store.priceDecimals;
  const plots = plan?.plots ?? NO_PLOTS;
  const studies = plan?.studies ?? [];
  const colors = colorsOf(studies);
  const entries = studies.map((study, index) => {
    const lines = plots.filter((plot) => plot.study === index);
    return { study, index, lines, pane: lines[0]?.pane ?? 0 };
  });

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const cells = new Map<string, HTMLElement>();
    for (const cell of element.querySelectorAll<HTMLElement>('[data-cell]')) cells.set(cell.dataset.cell ?? '', cell);
    const write = (id: string, text: string) => {
      const cell = cells.get(id);
      if (cell && cell.textContent !== text) cell.textContent = text;
      return cell;
    };
    const paint = () => {
      const row = chart.readingRow;
      const read = (column: number) => chart.value(column, row);
      element.dataset.rising = String(read(CLOSE) >= read(OPEN));
      for (const [id, column] of PRICES) write(id, fmt.price(read(column), decimals));
      write('v', fmt.price(read(VOLUME), 1));
      for (const plot of plots) {
        const value = read(plot.column);
        const warm = !Number.isNaN(value);
        const text = warm ? (plot.pane === 0 ? fmt.price(value, decimals) : fmt.reading(value)) : '–';
        const entry = write(`${plot.study}.${plot.output}`, text)?.closest<HTMLElement>('[data-warm]');
        if (entry && entry.dataset.warm !== String(warm)) {
          entry.dataset.warm = String(warm);
          entry.title = warm ? '' : t('chart.warming');
        }
      }
    };
    const panes = () => {
      const tops = chart.port.paneTops();
      for (const block of element.querySelectorAll<HTMLElement>('[data-pane]'))
        block.style.top = `${(tops[Number(block.dataset.pane)] ?? 0) + (block.dataset.pane === '0' ? 4 : 1)}px`;
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
  }, [chart, plots, decimals, t]);

  useEffect(() => {
    if (day.current) day.current.textContent = '';
    if (!instrument) return;
    return book.watch(instrument.id, (quote: Quote) => {
      const element = day.current;
      if (!element) return;
      const tone = fmt.direction(quote.change_24h);
      element.textContent = `${fmt.arrow(tone)} ${fmt.percentChange(quote.change_24h)}% ${t('chart.day')}`;
      element.className = fmt.toneClass(tone);
    });
  }, [book, instrument, t]);

  const entry = ({ study, index, lines }: (typeof entries)[number]) => (
    <LegendEntry
      key={`${index} ${study.text}`}
      study={study}
      lines={lines}
      color={token(colors[index] ?? 'accent')}
      fault={broken.get(study.text)}
      onEdit={() => onEdit(index)}
      onHide={() => actions.change(index, { hidden: !study.hidden })}
      onRemove={() => actions.remove(index)}
    />
  );
  const below = entries.filter((each) => each.pane > 0);
  return (
    <div ref={box} className="group/legend pointer-events-none absolute inset-0 z-[5] text-sm">
      <div data-pane={0} className="absolute left-2.5 flex max-w-[80%] flex-col">
        <div className="flex h-5 flex-wrap items-center gap-x-2.5 text-t2">
          {PRICES.map(([id]) => (
            <span key={id}>
              {t(`chart.ohlc.${id}`)}{' '}
              <span data-cell={id} className="text-down group-data-[rising=true]/legend:text-up" />
            </span>
          ))}
          <span ref={day} />
          {merged > 1 ? <span className="text-warn">{t('chart.merged', { count: merged })}</span> : null}
        </div>
        <div className="-ml-1 flex flex-wrap gap-x-1">{entries.filter((each) => each.pane === 0).map(entry)}</div>
      </div>
      <div data-pane={1} className="absolute left-2.5 mt-1.5 text-t2">
        {t('chart.volume')} <span data-cell="v" className="font-medium text-t1" /> {instrument?.base}
      </div>
      {below.map((each) => (
        <div key={each.pane} data-pane={each.pane} className="absolute left-1.5">
          {entry(each)}
        </div>
      ))}
    </div>
  );
}

const NO_PLOTS: Plot[] = [];
const PRICES = [
  ['o', OPEN],
  ['h', HIGH],
  ['l', LOW],
  ['c', CLOSE],
] as const;

/** A study by name and value; its buttons show when the pointer or the keyboard is there. */
function LegendEntry({
  study,
  lines,
  color,
  fault,
  onEdit,
  onHide,
  onRemove,
}: {
  study: Study;
  lines: readonly Plot[];
  color: string;
  fault: string | undefined;
  onEdit: () => void;
  onHide: () => void;
  onRemove: () => void;
}) {
  const { t } = useTranslation();
  const name = studyTitle(study.text);
  const values = lines.filter((plot) => !plot.faint);
  const cells = values[0]?.band ? [...values].reverse() : values;
  return (
    <div
      data-warm="true"
      data-study={study.text}
      className="group/study pointer-events-auto flex h-6 items-center rounded-sm hover:bg-bg2/90 focus-within:bg-bg2/90"
    >
      <button
        type="button"
        title={t('chart.studySettings', { name })}
        aria-haspopup="dialog"
        onClick={onEdit}
        className={cx(
          'flex h-6 items-center gap-1.5 whitespace-nowrap rounded-sm px-1 text-t2 group-data-[warm=false]/study:text-t3',
          study.hidden && 'text-t3',
        )}
      >
        <span
          aria-hidden
          className={cx(
            'h-0.5 w-2.5 rounded-full group-data-[warm=false]/study:opacity-40',
            study.hidden && 'opacity-40',
          )}
          style={{ background: color }}
        />
        <span className="max-w-60 truncate">{name}</span>
        {fault ? (
          <span className="flex max-w-80 items-center gap-1 text-warn">
            <TriangleAlert aria-hidden className="size-3 shrink-0" /> <span className="truncate">{fault}</span>
          </span>
        ) : null}
        {cells.map((plot, i) => (
          <span key={plot.column} className="flex gap-1.5">
            {plot.band && i > 0 ? <span className="text-t1">–</span> : null}
            <span
              data-cell={`${plot.study}.${plot.output}`}
              className="live font-medium text-t1 group-data-[warm=false]/study:text-t3"
              style={cells.length > 1 && !plot.band && plot.kind === 'line' ? { color: plot.color } : undefined}
            />
          </span>
        ))}
      </button>
      <span className="hidden items-center group-focus-within/study:flex group-hover/study:flex">
        <IconButton label={t(study.hidden ? 'chart.showStudy' : 'chart.hideStudy', { name })} onClick={onHide}>
          {study.hidden ? <EyeOff /> : <Eye />}
        </IconButton>
        <IconButton label={t('chart.removeIndicator', { name })} onClick={onRemove}>
          <X />
        </IconButton>
      </span>
    </div>
  );
}
