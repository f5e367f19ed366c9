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
import type { ChartLine, ChartMarker, ChartPort, Plan, Plot } from './port';
import type { Range, Span } from './window';

const STYLES = { solid: LineStyle.Solid, dotted: LineStyle.SparseDotted, dashed: LineStyle.Dashed };
const RIGHT_ROOM = 12;

/** lightweight-charts behind `ChartPort`. It only ever holds one window of the history. */
export class LightweightChart implements ChartPort {
  readonly #chart: IChartApi;
  readonly #markers: MarkerLayer;
  #candles: ISeriesApi<'Candlestick', Time>;
  #volume: ISeriesApi<'Histogram', Time> | null = null;
  #plots: { plot: Plot; series: ISeriesApi<SeriesType, Time> }[] = [];
  #plan: Plan = { plots: [], volume: 'none', priceDecimals: 2, guides: [] };
  #lines = new Map<string, { line: ChartLine; api: IPriceLine }>();
  #span: Span = { start: 0, end: 0 };
  #level: Level | null = null;
  #quiet = false;

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
    this.#candles.attachPrimitive(this.#markers);
    this.retheme();
  }

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

  #format(decimals: number) {
    return {
      type: 'custom' as const,
      minMove: 10 ** -decimals,
      formatter: (value: number) => fmt.price(value, decimals),
    };
  }

  setPlan(plan: Plan): void {
    const same = JSON.stringify({ ...plan, priceDecimals: 0 }) === JSON.stringify({ ...this.#plan, priceDecimals: 0 });
    this.#plan = plan;
    const format = this.#format(plan.priceDecimals);
    this.#candles.applyOptions({ priceFormat: format });
    if (
      same &&
      (this.#plots.length > 0 || plan.plots.length === 0) &&
      (this.#volume !== null || plan.volume === 'none')
    ) {
      for (const { plot, series } of this.#plots) if (plot.pane === 0) series.applyOptions({ priceFormat: format });
      return;
    }
    for (const { series } of this.#plots) this.#chart.removeSeries(series);
    if (this.#volume) this.#chart.removeSeries(this.#volume);
    this.#plots = [];
    this.#volume = null;
    while (this.#chart.panes().length > 1) this.#chart.removePane(this.#chart.panes().length - 1);

    if (plan.volume !== 'none') {
      const own = plan.volume === 'pane';
      this.#volume = this.#chart.addSeries(
        HistogramSeries,
        {
          priceFormat: { type: 'volume' },
          priceLineVisible: false,
          lastValueVisible: own,
          ...(own ? {} : { priceScaleId: '' }),
        },
        own ? 1 : 0,
      );
      this.#volume
        .priceScale()
        .applyOptions({ scaleMargins: own ? { top: 0.12, bottom: 0 } : { top: 0.84, bottom: 0 } });
    }
    for (const plot of plan.plots) {
      const series = this.#chart.addSeries(
        LineSeries,
        {
          color: plot.color,
          lineWidth: plot.width,
          priceLineVisible: false,
          lastValueVisible: plot.pane > 0,
          crosshairMarkerVisible: false,
          priceFormat: plot.pane === 0 ? format : this.#format(1),
        },
        plot.pane,
      );
      this.#plots.push({ plot, series });
      for (const guide of plan.guides.filter((g) => g.pane === plot.pane))
        for (const value of guide.values)
          series.createPriceLine({
            price: value,
            color: token('ctl'),
            lineWidth: 1,
            lineStyle: LineStyle.Dotted,
            axisLabelVisible: false,
            title: '',
          });
    }
    this.#chart.panes().forEach((pane, i) => {
      pane.setStretchFactor(i === 0 ? 400 : i === 1 && plan.volume === 'pane' ? 70 : 84);
    });
    this.retheme();
  }

  setWindow(level: Level, span: Span, visible: Range | null): void {
    this.#quiet = true;
    this.#level = level;
    this.#span = span;
    const { columns } = level;
    const times = columns[TIME] as Float64Array;
    const [open, high, low, close] = [OPEN, HIGH, LOW, CLOSE].map((c) => columns[c] as Float64Array) as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
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
    if (this.#volume) {
      const volume = columns[VOLUME] as Float64Array;
      const [up, down] = this.#volumeColors();
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
      const values = columns[plot.column];
      const points = [];
      for (let i = span.start; i < span.end; i++) {
        const value = values?.[i];
        const time = times[i] as UTCTimestamp;
        points.push(value === undefined || Number.isNaN(value) ? { time } : { time, value });
      }
      series.setData(points);
    }
    const scale = this.#chart.timeScale();
    if (visible) scale.setVisibleLogicalRange({ from: visible.from - span.start, to: visible.to - span.start });
    this.#quiet = false;
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
      if (!Number.isNaN(value)) series.update({ time, value });
    }
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
  onLayout(on: () => void): void {
    this.#markers.onPaint = on;
  }
  yOf(price: number): number | null {
    return this.#candles.priceToCoordinate(price);
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
    const alpha = this.#plan.volume === 'pane' ? '99' : '55';
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
    if (this.#level) this.setWindow(this.#level, this.#span, this.visible());
  }

  dispose(): void {
    this.#chart.remove();
  }
}
