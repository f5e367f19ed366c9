import { describe, expect, it } from 'vitest';
import { decodeFrame, encodeFrame, type FrameHeader } from '@/transport/frame';
import { CandleStore, CLOSE, HIGH, LOW, OPEN, PLOTS, VOLUME } from './candleStore';

const COLUMNS = ['time', 'open', 'high', 'low', 'close', 'volume', 'ema(3)'];

/** Candles at `from`, `from + 60` …; the price is the number of the candle. */
function page(from: number, rows: number, more = true) {
  const header: FrameHeader = {
    instrument: 'A',
    timeframe: '1m',
    rows,
    columns: COLUMNS,
    price_decimals: 1,
    provider: 'SIM',
    has_more_before: more,
    forming: false,
    catching_up: false,
  };
  const number = (i: number) => from / 60 + i;
  const columns = [
    (i: number) => from + i * 60,
    number,
    (i: number) => number(i) + 2,
    (i: number) => number(i) - 2,
    (i: number) => number(i) + 1,
    () => 10,
    (i: number) => (i === 0 ? Number.NaN : number(i)),
  ].map((value) => Float64Array.from({ length: rows }, (_, i) => value(i)));
  return decodeFrame(encodeFrame(header, columns));
}
const bar = (time: number, close: number) => ({ time, o: 1, h: 9, l: 0, c: close, v: 5, plots: [null] });

describe('chart frame', () => {
  it('survives the way there and back, NaN included', () => {
    const { header, columns } = page(600, 3);
    expect(header.columns).toEqual(COLUMNS);
    expect([...(columns[6] as Float64Array)]).toEqual([Number.NaN, 11, 12]);
  });
  it.each([
    ['empty', new ArrayBuffer(0)],
    ['something else', new TextEncoder().encode('{"code":"internal"}').buffer],
    ['cut off', encodeFrame({ ...page(0, 2).header }, page(0, 2).columns).slice(0, -8)],
  ])('refuses what is %s', (_what, bytes) => {
    expect(() => decodeFrame(bytes as ArrayBuffer)).toThrow(/frame/);
  });
});

describe('candle store', () => {
  it('puts an older page in front and leaves out what it already has', () => {
    const store = new CandleStore();
    store.reset(page(6_000, 10));
    expect(store.prepend(page(5_700, 8))).toBe(5);
    expect(store.rows).toBe(15);
    expect(Array.from({ length: 15 }, (_, i) => store.time(i))).toEqual(
      Array.from({ length: 15 }, (_, i) => 5_700 + i * 60),
    );
  });

  it('stops asking when a page brings nothing older', () => {
    const store = new CandleStore();
    store.reset(page(6_000, 10));
    expect(store.prepend(page(6_000, 4))).toBe(0);
    expect(store.hasMoreBefore).toBe(false);
  });

  it('replaces the forming candle, corrects an earlier one, appends the next, and sees a hole', () => {
    const store = new CandleStore();
    store.reset(page(0, 2));
    expect(store.apply(bar(60, 5), 60)).toBe('updated');
    expect(store.apply(bar(120, 6), 60)).toBe('appended');
    expect(store.apply(bar(60, 7), 60)).toBe('corrected');
    expect(store.apply(bar(60, 7), 60)).toBe('known');
    expect(store.apply(bar(90, 7), 60)).toBe('unknown');
    expect(store.apply(bar(300, 8), 60)).toBe('hole');
    expect(store.rows).toBe(3);
    expect([store.at(CLOSE, 1), store.at(CLOSE, 2), store.at(PLOTS, 2)]).toEqual([7, 6, Number.NaN]);
    expect(store.apply(bar(300, 8), 60, true)).toBe('appended');
  });

  it('merges four candles into one and keeps the merged form up to date', () => {
    const store = new CandleStore();
    store.reset(page(0, 6));
    const merged = store.level(1);
    const read = (c: number, row: number) => store.level(1).columns[c]?.[row];
    expect(merged.rows).toBe(2);
    expect([OPEN, HIGH, LOW, CLOSE, VOLUME, PLOTS].map((c) => read(c, 0))).toEqual([0, 5, -2, 4, 40, 3]);
    store.apply(bar(360, 7), 60);
    expect([read(HIGH, 1), read(LOW, 1), read(CLOSE, 1), read(VOLUME, 1)]).toEqual([9, 0, 7, 25]);
    for (let i = 0; i < 5; i++) store.apply(bar(420 + i * 60, i), 60);
    expect(store.level(1).rows).toBe(3);
  });
});
