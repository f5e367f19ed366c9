import {
  type AutoscaleInfo,
  CandlestickSeries,
  ColorType,
  CrosshairMode,
  createChart,
  HistogramSeries,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  LineSeries,
  LineStyle,
  type SeriesType,
  type Time,
  type UTCTimestamp,
} from 'lightweight-charts';
import * as fmt from '@/lib/format';
import { token } from '@/lib/prefs';
import { CLOSE, HIGH, type Level, LOW, OPEN, TIME, VOLUME } from './candleStore';
import { MarkerLayer } from './markers';
import type { ChartLine, ChartMarker, ChartPort, Plan, Plot, StructureMarks } from './port';
import { StructureLayer } from './structureLayer';
import type { Range, Span } from './window';

const STYLES = { solid: LineStyle.Solid, dotted: LineStyle.SparseDotted, dashed: LineStyle.Dashed };
const RIGHT_ROOM = 12;
const EMPTY = new Float64Array(0);
const GUIDE = { lineWidth: 1 as const, lineStyle: LineStyle.Dotted, axisLabelVisible: false, title: '' };

const priceFormat = (decimals: number) => ({
  type: 'custom' as const,
  minMove: 10 ** -decimals,
  formatter: (value: number) => fmt.price(value, decimals),
});
const READING = { type: 'custom' as const, minMove: 1e-6, formatter: (value: number) => fmt.reading(value) };

/** What can only be changed by making the series anew. */
const shapeOf = (plan: Plan) => `${plan.volume} ${plan.plots.map((plot) => `${plot.kind}${plot.pane}`).join()}`;

const optionsOf = (plot: Plot, plan: Plan) => ({
  color: plot.color,
  lineWidth: plot.width,
  lineStyle: plot.faint ? LineStyle.SparseDotted : LineStyle.Solid,
  lineVisible: plot.kind !== 'dots',
  pointMarkersVisible: plot.kind === 'dots',
  pointMarkersRadius: 1.5,
  priceLineVisible: false,
  lastValueVisible: plot.pane > 0 && plot.output === '',
  crosshairMarkerVisible: false,
  priceFormat: plot.pane === 0 ? priceFormat(plan.priceDecimals) : READING,
});

/** lightweight-charts behind `ChartPort`. It only ever holds one window of the history. */
export class LightweightChart implements ChartPort {
  readonly #chart: IChartApi;
  readonly #markers: MarkerLayer;
  readonly #patterns: MarkerLayer;
  readonly #structure: StructureLayer;
  #candles: ISeriesApi<'Candlestick', Time>;
  #volume: ISeriesApi<'Histogram', Time> | null = null;
  #plots: { plot: Plot; series: ISeriesApi<SeriesType, Time> }[] = [];
  #guides: { series: ISeriesApi<SeriesType, Time>; line: IPriceLine }[] = [];
  #plan: Plan | null = null;
  #onPanes: (weights: Record<string, number>) => void = () => {};
  #heights: number[] = [];
  readonly #given = new WeakMap<object, { columns: Float64Array[]; span: Span; colors: string }>();
  #lines = new Map<string, { line: ChartLine; api: IPriceLine }>();
  #span: Span = { start: 0, end: 0 };
  #level: Level | null = null;
  #quiet = false;
  /** Where the pointer is over the chart. */
  #pointer: { clientX: number; clientY: number } | null = null;

  constructor(
    readonly element: HTMLElement,
    compact: boolean,
  ) {
    this.#chart = createChart(element, {
      autoSize: true,
      layout: {
        attributionLogo: !compact,
        background: { type: ColorType.Solid, color: 'transparent' },
        fontFamily: '"Inter Variable", system-ui, sans-serif',
        fontSize: 11,
        panes: { enableResize: true, separatorColor: token('line'), separatorHoverColor: token('bg3') },
      },
      crosshair: { mode: CrosshairMode.Normal },
      rightPriceScale: { borderVisible: true, minimumWidth: compact ? 56 : 68 },
      timeScale: {
        borderVisible: true,
        rightOffset: RIGHT_ROOM,
        timeVisible: true,
        secondsVisible: false,
        minBarSpacing: 0.2,
      },
      kineticScroll: { touch: true, mouse: true },
    });
    this.#candles = this.#addCandles();
    this.#markers = new MarkerLayer(
      () => this.#level,
      () => this.#span,
    );
    const where = [() => this.#level, () => this.#span] as const;
    this.#patterns = new MarkerLayer(...where);
    this.#structure = new StructureLayer(...where);
    this.#candles.attachPrimitive(this.#structure);
    this.#candles.attachPrimitive(this.#patterns);
    this.#candles.attachPrimitive(this.#markers);
    this.#chart.subscribeCrosshairMove(({ point, sourceEvent }) => {
      this.#pointer = point ? (sourceEvent ?? this.#pointer) : null;
    });
    element.addEventListener('pointerdown', this.#onDown, true);
    window.addEventListener('pointerup', this.#onUp);
    this.retheme();
  }

  readonly #onDown = () => this.#pressed();
  readonly #onUp = () => this.#released();

  #addCandles(): ISeriesApi<'Candlestick', Time> {
    return this.#chart.addSeries(
      CandlestickSeries,
      {
        priceLineStyle: LineStyle.Solid,
        priceLineWidth: 1,
        autoscaleInfoProvider: (original: () => AutoscaleInfo | null) => this.#withLevels(original()),
      },
      0,
    );
  }

  /** Our own levels are kept in sight as long as they are within three times what the candles need. */
  #withLevels(info: AutoscaleInfo | null): AutoscaleInfo | null {
    const range = info?.priceRange;
    if (!info || !range) return info;
    const reach = range.maxValue - range.minValue;
    let { minValue, maxValue } = range;
    for (const { line } of this.#lines.values())
      if (line.price > range.minValue - reach && line.price < range.maxValue + reach) {
        minValue = Math.min(minValue, line.price);
        maxValue = Math.max(maxValue, line.price);
      }
    return { ...info, priceRange: { minValue, maxValue } };
  }

  setPlan(plan: Plan): void {
    const old = this.#plan;
    this.#plan = plan;
    this.#candles.applyOptions({ priceFormat: priceFormat(plan.priceDecimals) });
    // While a parameter is typed nothing but the numbers changes: the series stay and get new data.
    if (!old || shapeOf(old) !== shapeOf(plan)) this.#rebuild(plan, old);
    this.#plots.forEach((entry, i) => {
      entry.plot = plan.plots[i] ?? entry.plot;
      entry.series.applyOptions(optionsOf(entry.plot, plan));
    });
    this.#drawGuides(plan);
    const weights = plan.panes.map((pane) => pane.weight).join();
    if (weights !== old?.panes.map((pane) => pane.weight).join())
      for (const [i, pane] of this.#chart.panes().entries()) pane.setStretchFactor(plan.panes[i]?.weight ?? 84);
  }

  /**
   * Takes the crosshair away until the next frame. At every change of a series the library asks what is under the pointer, of
   * series that have their data from before the change and from after it, and such a mixture ends in its "Value is null".
   */
  #unpoint(): void {
    const { element } = this;
    const at = this.#pointer;
    if (!at) return;
    this.#pointer = null;
    this.#chart.clearCrosshairPosition();
    requestAnimationFrame(() => {
      const under = document.elementFromPoint(at.clientX, at.clientY);
      if (under instanceof HTMLCanvasElement && element.contains(under))
        under.dispatchEvent(new MouseEvent('mousemove', { ...at, bubbles: true, view: window }));
    });
  }

  /**
   * Other studies, or in other panes: their series are made anew. The volume stays: a library that is left with one series
   * forgets which candle is where when that is given the same times once more, and later throws "Value is null".
   */
  #rebuild(plan: Plan, old: Plan | null): void {
    this.#unpoint();
    this.#guides = [];
    // A pane goes with its last series.
    for (const { series } of this.#plots) this.#chart.removeSeries(series);
    if (plan.volume !== old?.volume) this.#rebuildVolume(plan.volume);
    this.#plots = plan.plots.map((plot) => ({
      plot,
      series: this.#chart.addSeries(plot.kind === 'histogram' ? HistogramSeries : LineSeries, {}, plot.pane),
    }));
    for (const [i, pane] of this.#chart.panes().entries()) pane.setStretchFactor(plan.panes[i]?.weight ?? 84);
  }

  #rebuildVolume(place: Plan['volume']): void {
    if (this.#volume) this.#chart.removeSeries(this.#volume);
    this.#volume = null;
    if (place === 'none') return;
    const own = place === 'pane';
    const options = { priceFormat: { type: 'volume' as const }, priceLineVisible: false, lastValueVisible: own };
    this.#volume = this.#chart.addSeries(
      HistogramSeries,
      own ? options : { ...options, priceScaleId: '' },
      own ? 1 : 0,
    );
    this.#volume.priceScale().applyOptions({ scaleMargins: own ? { top: 0.12, bottom: 0 } : { top: 0.84, bottom: 0 } });
  }

  #drawGuides(plan: Plan): void {
    for (const { series, line } of this.#guides) series.removePriceLine(line);
    this.#guides = plan.guides.flatMap(({ pane, values }) => {
      const series = this.#plots.find((entry) => entry.plot.pane === pane)?.series;
      return series ? values.map((price) => ({ series, line: series.createPriceLine({ ...GUIDE, price }) })) : [];
    });
    for (const { line } of this.#guides) line.applyOptions({ color: token('ctl') });
  }

  onPanes(on: (weights: Record<string, number>) => void): void {
    this.#onPanes = on;
  }

  /** The library tells nobody that a pane was resized; it happens between a press and a release of the pointer. */
  #pressed(): void {
    this.#heights = this.#chart.panes().map((pane) => pane.getHeight());
  }
  #released(): void {
    const panes = this.#plan?.panes ?? [];
    const heights = this.#chart.panes().map((pane) => pane.getHeight());
    const moved = heights.length === this.#heights.length && heights.some((h, i) => h !== this.#heights[i]);
    if (!moved || heights.length !== panes.length) return;
    const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
    const unit = sum(panes.map((pane) => pane.usual)) / sum(heights);
    this.#onPanes(Object.fromEntries(panes.map((pane, i) => [pane.key, Math.round((heights[i] ?? 0) * unit)])));
  }

  setWindow(level: Level, span: Span, visible: Range | null): void {
    this.#unpoint();
    this.#quiet = true;
    this.#level = level;
    this.#span = span;
    const { columns } = level;
    const times = columns[TIME] as Float64Array;
    const prices = [TIME, OPEN, HIGH, LOW, CLOSE].map((c) => columns[c] as Float64Array);
    const [, open, high, low, close] = prices as [unknown, Float64Array, Float64Array, Float64Array, Float64Array];
    if (this.#isNew(this.#candles, prices, span)) {
      const candles = [];
      for (let i = span.start; i < span.end; i++)
        candles.push({
          time: times[i] as UTCTimestamp,
          open: open[i] as number,
          high: high[i] as number,
          low: low[i] as number,
          close: close[i] as number,
        });
      this.#candles.setData(candles);
    }
    const volume = columns[VOLUME] as Float64Array;
    const [up, down] = this.#volumeColors();
    if (this.#volume && this.#isNew(this.#volume, [times, volume, open, close], span, up)) {
      const bars = [];
      for (let i = span.start; i < span.end; i++)
        bars.push({
          time: times[i] as UTCTimestamp,
          value: volume[i] as number,
          color: (close[i] as number) >= (open[i] as number) ? up : down,
        });
      this.#volume.setData(bars);
    }
    for (const { plot, series } of this.#plots) {
      const values = columns[plot.column] ?? EMPTY;
      const draw = this.#painter(plot);
      if (!this.#isNew(series, [times, values], span, up)) continue;
      const points = [];
      for (let i = span.start; i < span.end; i++) points.push(draw(times[i] as number, values[i] ?? Number.NaN));
      series.setData(points);
    }
    const scale = this.#chart.timeScale();
    if (visible) scale.setVisibleLogicalRange({ from: visible.from - span.start, to: visible.to - span.start });
    this.#quiet = false;
    // What was left alone may lack the last tick.
    if (span.end === level.rows && span.end > span.start) this.updateLast(level, span.end - 1);
  }

  /**
   * Whether a series has to be given these columns. Another set of studies comes with the same candles in new arrays, and
   * those need not be drawn again; the same arrays may hold corrections.
   */
  #isNew(series: object, columns: Float64Array[], span: Span, colors = ''): boolean {
    const known = this.#given.get(series);
    this.#given.set(series, { columns, span, colors });
    if (!known || known.colors !== colors || known.span.start !== span.start || known.span.end !== span.end)
      return true;
    return columns.some((column, c) => {
      const old = known.columns[c];
      if (!old || old === column) return true;
      for (let i = span.start; i < span.end; i++) if (!Object.is(old[i], column[i])) return true;
      return false;
    });
  }

  updateLast(level: Level, row: number): void {
    this.#level = level;
    this.#span = { start: this.#span.start, end: Math.max(this.#span.end, row + 1) };
    const read = (c: number) => level.columns[c]?.[row] ?? Number.NaN;
    const time = read(TIME) as UTCTimestamp;
    this.#candles.update({ time, open: read(OPEN), high: read(HIGH), low: read(LOW), close: read(CLOSE) });
    const [up, down] = this.#volumeColors();
    this.#volume?.update({ time, value: read(VOLUME), color: read(CLOSE) >= read(OPEN) ? up : down });
    for (const { plot, series } of this.#plots) {
      const value = read(plot.column);
      if (!Number.isNaN(value)) series.update(this.#painter(plot)(time, value));
    }
  }

  /** Points of a plot; colours are read from the document once and not for every point. */
  #painter(plot: Plot) {
    const [up, down] = plot.kind === 'histogram' ? this.#volumeColors() : ['', ''];
    return (seconds: number, value: number) => {
      const time = seconds as UTCTimestamp;
      if (Number.isNaN(value)) return { time };
      return plot.kind === 'histogram' ? { time, value, color: value < 0 ? down : up } : { time, value };
    };
  }

  setLines(lines: readonly ChartLine[]): void {
    const wanted = new Set(lines.map((line) => line.id));
    for (const [id, { api }] of this.#lines)
      if (!wanted.has(id)) {
        this.#candles.removePriceLine(api);
        this.#lines.delete(id);
      }
    for (const line of lines) {
      const options = {
        price: line.price,
        color: line.color,
        lineWidth: 1 as const,
        lineStyle: STYLES[line.style],
        axisLabelVisible: true,
        axisLabelColor: line.color,
        axisLabelTextColor: token('axis-ink'),
        title: '',
      };
      const known = this.#lines.get(line.id);
      if (known) {
        if (JSON.stringify(known.line) !== JSON.stringify(line)) known.api.applyOptions(options);
        known.line = line;
      } else this.#lines.set(line.id, { line, api: this.#candles.createPriceLine(options) });
    }
  }

  setMarkers(markers: readonly ChartMarker[]): void {
    this.#markers.set(markers);
  }

  setPatterns(markers: readonly ChartMarker[]): void {
    this.#patterns.set(markers);
  }
  setStructure(marks: StructureMarks): void {
    this.#structure.set(marks);
  }

  visible(): Range | null {
    const range = this.#chart.timeScale().getVisibleLogicalRange();
    return range && { from: range.from + this.#span.start, to: range.to + this.#span.start };
  }
  show(range: Range): void {
    this.#chart
      .timeScale()
      .setVisibleLogicalRange({ from: range.from - this.#span.start, to: range.to - this.#span.start });
  }
  scrollToNewest(): void {
    this.#chart.timeScale().scrollToRealTime();
  }
  onVisible(on: (range: Range) => void): void {
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (range && !this.#quiet) on({ from: range.from + this.#span.start, to: range.to + this.#span.start });
    });
  }
  onCrosshair(on: (row: number | null) => void): void {
    this.#chart.subscribeCrosshairMove((event) => {
      on(event.logical === undefined || !event.point ? null : Math.round(event.logical) + this.#span.start);
    });
  }
  onMarkerClick(on: (id: string) => void): void {
    this.#chart.subscribeClick((event) => {
      const id = event.hoveredObjectId;
      if (typeof id === 'string') on(id);
    });
  }
  onMarkerHover(on: (hover: { id: string; x: number; y: number } | null) => void): void {
    this.#chart.subscribeCrosshairMove(({ hoveredObjectId: id, point }) =>
      on(typeof id === 'string' && point ? { id, x: point.x, y: point.y } : null),
    );
  }
  onLayout(on: () => void): void {
    this.#markers.onPaint = on;
  }
  yOf(price: number): number | null {
    return this.#candles.priceToCoordinate(price);
  }
  xOf(row: number): number {
    const scale = this.#chart.timeScale();
    const range = scale.getVisibleLogicalRange();
    if (!range) return 0;
    // The library's range goes from the middle of the first candle in sight to the middle of the last.
    return ((row - this.#span.start - range.from + 0.5) / (range.to - range.from + 1)) * scale.width();
  }
  priceAt(y: number): number | null {
    return this.#candles.coordinateToPrice(y);
  }
  paneTops(): number[] {
    const tops: number[] = [];
    let top = 0;
    for (const pane of this.#chart.panes()) {
      tops.push(top);
      top += pane.getHeight() + 1;
    }
    return tops;
  }
  axisWidth(): number {
    return this.#chart.priceScale('right').width();
  }

  #volumeColors(): [string, string] {
    const alpha = this.#plan?.volume === 'pane' ? '99' : '55';
    return [token('up') + alpha, token('down') + alpha];
  }

  retheme(): void {
    const line = token('line');
    const text = token('t2');
    const up = token('up');
    const down = token('down');
    const grid = `${line}90`;
    this.#chart.applyOptions({
      layout: { textColor: text, panes: { separatorColor: line, separatorHoverColor: token('bg3') } },
      grid: { vertLines: { color: grid }, horzLines: { color: grid } },
      crosshair: {
        vertLine: { color: token('ctl'), labelBackgroundColor: token('bg3'), width: 1, style: LineStyle.Dashed },
        horzLine: { color: token('ctl'), labelBackgroundColor: token('bg3'), width: 1, style: LineStyle.Dashed },
      },
      rightPriceScale: { borderColor: line },
      timeScale: { borderColor: line },
    });
    this.#candles.applyOptions({
      upColor: up,
      downColor: down,
      wickUpColor: up,
      wickDownColor: down,
      borderVisible: false,
      priceLineColor: token('price-now'),
    });
  }

  dispose(): void {
    window.removeEventListener('pointerup', this.#onUp);
    this.#chart.remove();
  }
}
