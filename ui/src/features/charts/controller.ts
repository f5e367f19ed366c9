import { nextFrame } from '@/lib/frame';
import { endTurns } from '@/lib/turns';
import { decodeFrame, type Frame } from '@/transport/frame';
import { type Transport, TransportError } from '@/transport/Transport';
import type { ChartBar, ChartDelta } from '@/transport/types';
import { CandleStore } from './candleStore';
import { isTimed } from './chart.params';
import type { ChartPort, Plan } from './port';
import {
  LEVEL_FACTOR,
  levelFor,
  needsPage,
  needsSwap,
  type Range,
  type Span,
  WINDOW_BARS,
  windowAround,
} from './window';

export interface ChartKey {
  instrument: string;
  timeframe: string;
  /** Studies as the engine reads them: `ema(21),bb(20,2)`. */
  set: string;
}
export type Phase =
  | { state: 'loading' }
  | { state: 'ready' }
  | { state: 'empty' }
  | { state: 'error'; error: TransportError };

/** Candles in sight when a chart is opened, and the room after the newest. */
const FIRST_VIEW = 142;
const ROOM_AFTER = 12;
const FIRST_PAGE = 1_000;
const PAGE = 2_000;
/** As many rows as one answer may have. */
const MOST_ROWS = 20_000;
/** When a window is asked for again whose venue had not answered. */
const AGAIN_MS = 2_000;
/** Candles fetched before the view when its studies change. */
const ROWS_BEFORE_VIEW = 300;
const UNITS: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800, M: 2_419_200 };

/** Length of a timeframe in seconds; for a month the shortest one. */
export function timeframeSeconds(timeframe: string): number {
  const match = /^(\d+)([smhdwM])$/.exec(timeframe);
  return match ? Number(match[1]) * (UNITS[match[2] ?? 'm'] ?? 60) : 60;
}

/** Between candles that end with what was traded any time may pass, and nothing is missing. */
const stepOf = (timeframe: string) => (isTimed(timeframe) ? timeframeSeconds(timeframe) : Number.POSITIVE_INFINITY);

/** Seconds as text with all the microseconds that they have: two candles of trades may lie that near. */
export function isoTime(seconds: number): string {
  const micros = Math.round(seconds * 1e6);
  const rest = ((micros % 1_000) + 1_000) % 1_000;
  return new Date((micros - rest) / 1_000).toISOString().replace('Z', rest ? `${String(rest).padStart(3, '0')}Z` : 'Z');
}

/** Histories of charts that were open lately, so that switching back is instant; the least used go first. */
class Cache {
  readonly #stores = new Map<string, CandleStore>();
  constructor(private readonly budget: number) {}
  take(key: string): CandleStore {
    const store = this.#stores.get(key) ?? new CandleStore();
    this.#stores.delete(key);
    this.#stores.set(key, store);
    let bytes = 0;
    for (const each of this.#stores.values()) bytes += each.bytes;
    for (const [old, each] of this.#stores) {
      if (bytes <= this.budget || old === key) break;
      bytes -= each.bytes;
      this.#stores.delete(old);
    }
    return store;
  }
}
const cache = new Cache(64 * 1024 * 1024);

/** Joins the history, the live stream and the chart library. Lives outside of React and is disposed by its owner. */
export class ChartController {
  onPhase: (phase: Phase) => void = () => {};
  /** The candle shown in the legend changed: index and level. */
  onReading: () => void = () => {};
  onLevel: (merged: number) => void = () => {};
  onPlan: (plan: Plan) => void = () => {};
  planFor: (names: string[], decimals: number) => Plan = () => ({
    plots: [],
    volume: 'none',
    priceDecimals: 2,
    guides: [],
    panes: [],
    studies: [],
  });

  store = new CandleStore();
  #key: ChartKey | null = null;
  /** What `store` holds: while other studies are on their way, the old ones stay on screen. */
  #shown: ChartKey | null = null;
  #plan: Plan | null = null;
  #level = 0;
  #span: Span = { start: 0, end: 0 };
  #stop: (() => void) | null = null;
  #abort: AbortController | null = null;
  #again: ReturnType<typeof setTimeout> | undefined;
  #paging = false;
  #pending: ChartBar[] = [];
  #hover: number | null = null;
  #hidden = false;
  /** The candle behind a hole for which the window was asked for again. */
  #reloadedFor: number | null = null;
  #disposed = false;
  receivedAt = 0;
  /** `performance.now()` of the newest live word; 0 = none came yet. */
  heardAt = 0;
  readonly #viewWatchers = new Set<() => void>();

  constructor(
    private readonly transport: Transport,
    readonly port: ChartPort,
  ) {
    port.onVisible((range) => {
      nextFrame(() => this.#moved(range));
      this.#viewChanged();
    });
    port.onCrosshair((row) => {
      this.#hover = row;
      nextFrame(this.#read);
    });
  }

  get level(): number {
    return this.#level;
  }
  get rows(): number {
    return this.store.level(this.#level).rows;
  }
  /** Row the legend reads: under the pointer, else the newest. */
  get readingRow(): number {
    const last = this.rows - 1;
    return this.#hover === null ? last : Math.max(0, Math.min(last, this.#hover));
  }
  get hovering(): boolean {
    return this.#hover !== null;
  }
  value(column: number, row: number): number {
    return this.store.level(this.#level).columns[column]?.[row] ?? Number.NaN;
  }
  /** Reads one candle to the left or right, for the keyboard. */
  step(by: number): void {
    this.#hover = Math.max(0, Math.min(this.rows - 1, this.readingRow + by));
    this.#read();
  }

  readonly #read = () => {
    if (!this.#disposed) this.onReading();
  };

  /** What is drawn now. */
  get plan(): Plan | null {
    return this.#plan;
  }

  /** After every change of what is in sight or loaded; answers how to stop. */
  watchView(on: () => void): () => void {
    this.#viewWatchers.add(on);
    return () => this.#viewWatchers.delete(on);
  }
  #viewChanged(): void {
    for (const on of this.#viewWatchers) on();
  }

  /** Where a moment is on the chart's axis; beyond the loaded candles it is extrapolated. */
  xOfTime(seconds: number): number {
    const { store } = this;
    if (store.rows === 0 || !this.#key) return 0;
    const step = stepOf(this.#key.timeframe);
    const last = store.rows - 1;
    const row =
      seconds >= store.time(last)
        ? last + (seconds - store.time(last)) / step
        : seconds < store.time(0)
          ? (seconds - store.time(0)) / step
          : store.indexAtTime(seconds);
    // A candle's box begins half a candle before its middle.
    return this.port.xOf(row / LEVEL_FACTOR ** this.#level - 0.5);
  }

  /** False when that is what is shown already. */
  open(key: ChartKey): boolean {
    if (this.#key && JSON.stringify(this.#key) === JSON.stringify(key)) return false;
    this.#key = key;
    this.#stop?.();
    this.#pending = [];
    if (this.#shown?.instrument !== key.instrument) this.heardAt = 0;
    const sameMarket = this.#shown?.instrument === key.instrument && this.#shown.timeframe === key.timeframe;
    const keep = sameMarket && this.store.rows > 0 ? this.#keepView() : null;
    if (!keep) this.#hover = null;
    const store = cache.take(JSON.stringify(key));
    if (!keep || store.rows > 0) {
      this.store = store;
      this.#shown = key;
      if (store.rows > 0) this.#render(keep);
    }
    void this.#load(keep);
    this.#stop = this.transport.subscribe(
      'chart',
      key,
      (batch) => this.#live(batch.data, batch.kind === 'snapshot'),
      (error) => this.store.rows === 0 && this.onPhase({ state: 'error', error }),
    );
    return true;
  }

  retry(): void {
    void this.#load(null);
  }

  /** `view`: where another set of studies over the same candles was looked at. */
  async #load(view: Range | null): Promise<void> {
    const key = this.#key;
    if (!key) return;
    this.#abort?.abort();
    this.#abort = new AbortController();
    clearTimeout(this.#again);
    if (this.store.rows === 0) this.onPhase({ state: 'loading' });
    const limit = view
      ? Math.min(MOST_ROWS, Math.max(FIRST_PAGE, Math.ceil(ROWS_BEFORE_VIEW - view.from)))
      : FIRST_PAGE;
    let frame: Frame;
    try {
      const { signal } = this.#abort;
      frame = decodeFrame(await this.transport.callBinary('chart.window', { ...key, limit }, { signal }));
    } catch (cause) {
      const error = TransportError.from(cause);
      if (error.code === 'canceled' || key !== this.#key || this.#disposed) return;
      if (this.#shown !== key || this.store.rows === 0) this.onPhase({ state: 'error', error });
      else if (this.store.catchingUp && error.retryable) this.#askAgain();
      else this.store.catchingUp = false;
      endTurns();
      return;
    }
    if (key !== this.#key || this.#disposed) return;
    const changed = this.#shown !== key;
    const keep = this.store.rows === 0 ? view : this.#keepView();
    if (changed) {
      this.store = cache.take(JSON.stringify(key));
      this.#shown = key;
    }
    this.store.reset(frame);
    this.receivedAt = performance.now();
    this.#render(keep);
    if (this.store.catchingUp) {
      this.#askAgain();
      if (this.store.rows === 0) return;
    }
    if (this.store.rows === 0) {
      this.onPhase({ state: 'empty' });
      endTurns();
      return;
    }
    this.onPhase({ state: 'ready' });
    this.#flush();
    // The first frame draws, the second begins when it is on the screen.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        this.transport.mark('first_chart');
        endTurns();
      }),
    );
  }

  /** For as many candles as are looked at: who has scrolled back stays there. */
  #askAgain(): void {
    this.#again = setTimeout(() => void this.#load(this.#keepView()), AGAIN_MS);
  }

  /** The view as a distance from the newest candle, in candles, so that a reload does not move it. */
  #keepView(): Range | null {
    const visible = this.port.visible();
    const factor = LEVEL_FACTOR ** this.#level;
    const { rows } = this.store;
    return visible && { from: visible.from * factor - rows, to: visible.to * factor - rows };
  }

  #render(keep: Range | null): void {
    const { rows } = this.store;
    const bars = keep
      ? { from: keep.from + rows, to: keep.to + rows }
      : { from: rows + ROOM_AFTER - FIRST_VIEW, to: rows + ROOM_AFTER };
    this.#level = levelFor(bars.to - bars.from);
    const factor = LEVEL_FACTOR ** this.#level;
    this.onLevel(factor);
    const visible = { from: bars.from / factor, to: bars.to / factor };
    this.#setPlan();
    this.#span = windowAround(visible, this.rows);
    this.port.setWindow(this.store.level(this.#level), this.#span, visible);
    this.#read();
    this.#viewChanged();
  }

  #setPlan(): void {
    this.#plan = this.planFor(this.store.names, this.store.priceDecimals);
    this.port.setPlan(this.#plan);
    this.onPlan(this.#plan);
  }

  /** Draws again with another plan (colours, panes) over the same data. */
  replan(): void {
    if (this.store.rows === 0) return;
    const visible = this.port.visible();
    this.#setPlan();
    this.port.setWindow(this.store.level(this.#level), this.#span, visible);
    this.#read();
  }

  #moved(visible: Range): void {
    if (this.#disposed || this.store.rows === 0) return;
    const factor = LEVEL_FACTOR ** this.#level;
    const wanted = levelFor((visible.to - visible.from) * factor);
    if (wanted !== this.#level) {
      const scale = factor / LEVEL_FACTOR ** wanted;
      this.#level = wanted;
      this.onLevel(LEVEL_FACTOR ** wanted);
      this.#swap({ from: visible.from * scale, to: visible.to * scale });
    } else if (needsSwap(this.#span, visible, this.rows)) this.#swap(visible);
    const bars = { from: visible.from * factor, to: visible.to * factor };
    if (needsPage(bars) && this.store.hasMoreBefore) void this.#page();
  }

  #swap(visible: Range): void {
    const level = this.store.level(this.#level);
    this.#span = windowAround(visible, level.rows, WINDOW_BARS);
    this.port.setWindow(level, this.#span, visible);
    this.#viewChanged();
  }

  /** Shows a moment in the middle, with the history from there on. */
  async goTo(seconds: number): Promise<void> {
    const key = this.#key;
    while (!this.#disposed && key === this.#shown && this.store.hasMoreBefore && this.store.time(0) > seconds) {
      const before = this.store.rows;
      await this.#page(MOST_ROWS);
      if (this.store.rows === before) break;
    }
    if (this.#disposed || key !== this.#key || this.store.rows === 0) return;
    const row = Math.max(0, this.store.indexAtTime(seconds));
    const visible = this.port.visible();
    const factor = LEVEL_FACTOR ** this.#level;
    const half = visible ? (visible.to - visible.from) / 2 : 70;
    this.#swap({ from: row / factor - half, to: row / factor + half });
  }

  /** Back to the newest candle, however far away the window is. */
  showNewest(): void {
    const { rows } = this;
    if (rows === 0) return;
    if (this.#span.end >= rows) {
      this.port.scrollToNewest();
      return;
    }
    const visible = this.port.visible();
    const width = visible ? visible.to - visible.from : FIRST_VIEW;
    this.#swap({ from: rows + ROOM_AFTER - width, to: rows + ROOM_AFTER });
  }

  async #page(limit = PAGE): Promise<void> {
    const key = this.#key;
    if (this.#paging || !key || key !== this.#shown) return;
    this.#paging = true;
    let frame: Frame;
    const first = this.store.time(0);
    try {
      const before = isoTime(first);
      frame = decodeFrame(await this.transport.callBinary('chart.window', { ...key, before, limit }));
    } catch (cause) {
      // History that does not come is asked for again by the next movement; the chart shows what it has.
      if (!TransportError.from(cause).retryable) this.store.hasMoreBefore = false;
      return;
    } finally {
      this.#paging = false;
    }
    // A window that was loaded meanwhile begins elsewhere: the page would leave a hole before it.
    if (key !== this.#key || this.#disposed || this.store.time(0) !== first) return;
    const visible = this.port.visible();
    const added = this.store.prepend(frame) / LEVEL_FACTOR ** this.#level;
    if (visible && added > 0) this.#swap({ from: visible.from + added, to: visible.to + added });
  }

  #live(delta: ChartDelta, snapshot: boolean): void {
    this.receivedAt = performance.now();
    this.heardAt = this.receivedAt;
    const [oldest] = delta.closed ?? [];
    const { store } = this;
    // By the clock a hole shows by itself. A snapshot repeats what is known; one that does not begins behind a hole.
    if (snapshot && oldest && this.#key && this.#shown === this.#key && !isTimed(this.#key.timeframe))
      if (store.rows > 0 && oldest.time > store.time(store.rows - 1)) void this.#load(null);
    if (delta.closed) this.#pending.push(...delta.closed);
    if (delta.forming) {
      // Only the newest state of a forming candle matters.
      const last = this.#pending.at(-1);
      if (last && last.time === delta.forming.time) this.#pending.pop();
      this.#pending.push(delta.forming);
    }
    if (!this.#hidden) nextFrame(this.#flush);
  }

  setHidden(hidden: boolean): void {
    this.#hidden = hidden;
    if (!hidden) nextFrame(this.#flush);
  }

  readonly #flush = () => {
    if (this.#disposed || this.store.rows === 0 || this.#pending.length === 0 || !this.#key) return;
    // Candles with the plots of studies that are still on their way wait for them.
    if (this.#shown !== this.#key) return;
    const step = stepOf(this.#key.timeframe);
    const bars = this.#pending;
    this.#pending = [];
    const firstRow = this.rows - 1;
    let corrected = false;
    for (const bar of bars) {
      // A hole that a fresh window still has is the market's silence.
      const change = this.store.apply(bar, step, this.#reloadedFor === bar.time);
      if (change === 'hole') {
        this.#reloadedFor = bar.time;
        this.#pending.unshift(...bars.slice(bars.indexOf(bar)));
        void this.#load(null);
        return;
      }
      corrected ||= change === 'corrected';
    }
    if (corrected) {
      const visible = this.port.visible();
      if (visible) this.#swap(visible);
    }
    const level = this.store.level(this.#level);
    if (this.#span.end >= firstRow + 1) {
      for (let row = firstRow; row < level.rows; row++) this.port.updateLast(level, row);
      this.#span = { ...this.#span, end: level.rows };
    }
    if (this.#hover === null) this.#read();
  };

  dispose(): void {
    this.#disposed = true;
    this.#abort?.abort();
    clearTimeout(this.#again);
    this.#stop?.();
    this.port.dispose();
  }
}
