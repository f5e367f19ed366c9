import type { Frame } from '@/transport/frame';
import type { ChartBar } from '@/transport/types';
import { LEVEL_FACTOR, lastAtOrBefore } from './window';

/** Columns of a candle before its plots. */
export const TIME = 0;
export const OPEN = 1;
export const HIGH = 2;
export const LOW = 3;
export const CLOSE = 4;
export const VOLUME = 5;
export const PLOTS = 6;

/** Less than candles are apart, and more than the rounding of seconds since 1970. */
const NEAR = 5e-7;

/** The merged form of a history: every candle covers `LEVEL_FACTOR ** level` of the original. */
export interface Level {
  columns: Float64Array[];
  rows: number;
}

/**
 * History of one instrument, timeframe and set of studies, in columns and outside of React. Pages are put in front,
 * live candles replace the last or follow it; merged levels for zoomed-out views are built when asked for.
 */
export class CandleStore {
  names: string[] = [];
  priceDecimals = 2;
  provider = '';
  hasMoreBefore = false;
  /** The venue still has to answer. */
  catchingUp = false;
  #columns: Float64Array[] = [];
  #rows = 0;
  #levels = new Map<number, Level>();

  get rows(): number {
    return this.#rows;
  }
  get bytes(): number {
    return this.#columns.reduce((sum, column) => sum + column.byteLength, 0);
  }
  at(column: number, row: number): number {
    return this.#columns[column]?.[row] ?? Number.NaN;
  }
  time(row: number): number {
    return this.at(TIME, row);
  }
  indexAtTime(seconds: number): number {
    const times = this.#columns[TIME];
    return times ? lastAtOrBefore(times, seconds, this.#rows) : -1;
  }

  /** Starts over with the newest page. */
  reset(frame: Frame): void {
    this.names = frame.header.columns;
    this.priceDecimals = frame.header.price_decimals;
    this.provider = frame.header.provider;
    this.hasMoreBefore = frame.header.has_more_before;
    this.catchingUp = frame.header.catching_up;
    this.#rows = frame.header.rows;
    this.#columns = frame.columns.map((column) => withRoom(column, frame.header.rows));
    this.#levels.clear();
  }

  /** Puts an older page in front and tells how many candles that were. Candles already here are left out. */
  prepend(frame: Frame): number {
    this.hasMoreBefore = frame.header.has_more_before;
    const first = this.time(0);
    const times = frame.columns[TIME];
    if (!times || frame.header.columns.length !== this.names.length) return 0;
    const rows = this.#rows === 0 ? frame.header.rows : lastAtOrBefore(times, first - NEAR, frame.header.rows) + 1;
    if (rows <= 0) {
      this.hasMoreBefore = false;
      return 0;
    }
    this.#columns = this.#columns.map((old, c) => {
      const merged = new Float64Array(rows + old.length);
      merged.set((frame.columns[c] ?? new Float64Array(rows)).subarray(0, rows));
      merged.set(old.subarray(0, this.#rows), rows);
      return merged;
    });
    this.#rows += rows;
    this.#levels.clear();
    return rows;
  }

  /**
   * A live candle: the last one, the next one, or a correction of an earlier one. `'hole'` means that candles before it
   * are missing or that the market was silent; nothing is changed then, unless `silence` says that it was the latter.
   */
  apply(
    bar: ChartBar,
    step: number,
    silence = false,
  ): 'updated' | 'corrected' | 'appended' | 'known' | 'hole' | 'unknown' {
    const last = this.#rows === 0 ? Number.NEGATIVE_INFINITY : this.time(this.#rows - 1);
    if (bar.time < last) {
      const row = this.indexAtTime(bar.time);
      if (row < 0 || this.time(row) !== bar.time) return 'unknown';
      // A subscription begins with the candle that closed last: everything would be drawn again for nothing.
      if (!this.#write(row, bar)) return 'known';
      this.#levels.clear();
      return 'corrected';
    }
    if (!silence && this.#rows > 0 && bar.time > last + step * 1.5) return 'hole';
    const appended = bar.time > last;
    if (appended) {
      if (this.#rows === (this.#columns[TIME]?.length ?? 0))
        this.#columns = this.#columns.map((column) => withRoom(column, this.#rows));
      this.#rows += 1;
    }
    this.#write(this.#rows - 1, bar);
    for (const [level, merged] of this.#levels) this.#mergeTail(level, merged);
    return appended ? 'appended' : 'updated';
  }

  /** False when all of it stood there. */
  #write(row: number, bar: ChartBar): boolean {
    const values = [bar.time, bar.o, bar.h, bar.l, bar.c, bar.v, ...bar.plots.map((p) => p ?? Number.NaN)];
    let changed = false;
    this.#columns.forEach((column, c) => {
      const value = values[c] ?? Number.NaN;
      changed ||= !Object.is(column[row], value);
      column[row] = value;
    });
    return changed;
  }

  /** `level` 0 is the history itself. */
  level(level: number): Level {
    if (level === 0) return { columns: this.#columns, rows: this.#rows };
    let merged = this.#levels.get(level);
    if (!merged) {
      merged = merge({ columns: this.#columns, rows: this.#rows }, LEVEL_FACTOR ** level);
      this.#levels.set(level, merged);
    }
    return merged;
  }

  #mergeTail(level: number, merged: Level): void {
    const factor = LEVEL_FACTOR ** level;
    const rows = Math.ceil(this.#rows / factor);
    if (rows > (merged.columns[TIME]?.length ?? 0)) {
      this.#levels.delete(level);
      return;
    }
    merged.rows = rows;
    mergeRow({ columns: this.#columns, rows: this.#rows }, factor, rows - 1, merged.columns);
  }
}

function withRoom(column: Float64Array, rows: number): Float64Array {
  const room = new Float64Array(rows + Math.max(256, rows >> 3));
  room.set(column.subarray(0, rows));
  return room;
}

function mergeRow(source: Level, factor: number, row: number, target: Float64Array[]): void {
  const start = row * factor;
  const end = Math.min(source.rows, start + factor);
  const read = (c: number, i: number) => source.columns[c]?.[i] ?? Number.NaN;
  let high = Number.NEGATIVE_INFINITY;
  let low = Number.POSITIVE_INFINITY;
  let volume = 0;
  for (let i = start; i < end; i++) {
    high = Math.max(high, read(HIGH, i));
    low = Math.min(low, read(LOW, i));
    volume += read(VOLUME, i);
  }
  target.forEach((column, c) => {
    column[row] =
      c === TIME || c === OPEN
        ? read(c, start)
        : c === HIGH
          ? high
          : c === LOW
            ? low
            : c === VOLUME
              ? volume
              : read(c, end - 1);
  });
}

/** Merges `factor` candles into one: first open, highest high, lowest low, last close and plot, sum of volume. */
export function merge(source: Level, factor: number): Level {
  const rows = Math.ceil(source.rows / factor);
  const columns = source.columns.map(() => new Float64Array(rows + 64));
  for (let row = 0; row < rows; row++) mergeRow(source, factor, row, columns);
  return { columns, rows };
}
