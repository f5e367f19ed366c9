/** The arithmetic of the windowed chart: which slice of the history the chart library holds, and at which level. */

/** Candles the library holds beside what is on screen. */
export const WINDOW_BARS = 3_000;
/** More candles than this on one screen are merged by four. */
export const MAX_ON_SCREEN = 1_600;
export const LEVEL_FACTOR = 4;

export interface Span {
  /** First index, included. */
  start: number;
  /** Last index, excluded. */
  end: number;
}
export interface Range {
  from: number;
  to: number;
}

/** How often ×4 candles are merged so that `candles` fit on one screen. */
export function levelFor(candles: number): number {
  let level = 0;
  for (let left = candles; left > MAX_ON_SCREEN; left /= LEVEL_FACTOR) level += 1;
  return level;
}

/** The slice to hold around what is visible: centred, a whole budget long where the history allows. */
export function windowAround(visible: Range, total: number, budget: number = WINDOW_BARS): Span {
  const screen = Math.max(1, visible.to - visible.from);
  const length = Math.min(total, Math.ceil(budget + 2 * screen));
  const middle = (visible.from + visible.to) / 2;
  const start = Math.max(0, Math.min(total - length, Math.round(middle - length / 2)));
  return { start, end: start + length };
}

/** True when the view comes within half a screen of an edge behind which there is more. */
export function needsSwap(window: Span, visible: Range, total: number): boolean {
  const half = (visible.to - visible.from) / 2;
  return (
    (window.start > 0 && visible.from - window.start < half) || (window.end < total && window.end - visible.to < half)
  );
}

/** True when less than one screen of history is left before the view. */
export const needsPage = (visible: Range): boolean => visible.from < visible.to - visible.from;

/** Index of the last element ≤ `value` in an ascending array, −1 when all are greater. */
export function lastAtOrBefore(sorted: ArrayLike<number>, value: number, length: number = sorted.length): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
