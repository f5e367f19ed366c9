import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { encodeFrame } from '@/transport/frame';
import { MockTransport } from '@/transport/MockTransport';
import type { Level } from './candleStore';
import { isTimed, readTimeframe } from './chart.params';
import { ChartController, isoTime, type Phase, timeframeSeconds } from './controller';
import type { ChartPort } from './port';
import type { Range, Span } from './window';

const NOW = 6_000_000;
const COLUMNS = ['time', 'open', 'high', 'low', 'close', 'volume'];

/** One-minute candles that end at `last`, `has_more_before` until `first`. */
function page(last: number, rows: number, more: boolean, catchingUp = false) {
  const columns = COLUMNS.map((_, c) =>
    Float64Array.from({ length: rows }, (_v, i) => (c === 0 ? last - (rows - 1 - i) * 60 : c)),
  );
  return encodeFrame(
    {
      instrument: 'A',
      timeframe: '1m',
      rows,
      columns: COLUMNS,
      price_decimals: 1,
      provider: 'SIM',
      has_more_before: more,
      forming: true,
      catching_up: catchingUp,
    },
    columns,
  );
}

/** A chart library that only remembers what it was told. */
function fakePort() {
  let moved: (range: Range) => void = () => {};
  const state = {
    level: null as Level | null,
    span: { start: 0, end: 0 } as Span,
    visible: null as Range | null,
    updates: 0,
    windows: 0,
  };
  const port: ChartPort = {
    setPlan() {},
    setWindow(level, span, visible) {
      Object.assign(state, { level, span, windows: state.windows + 1 });
      if (visible) state.visible = visible;
    },
    updateLast() {
      state.updates += 1;
    },
    setLines() {},
    setMarkers() {},
    setPatterns() {},
    setStructure() {},
    onMarkerHover() {},
    visible: () => state.visible,
    show() {},
    scrollToNewest() {},
    onVisible: (on) => {
      moved = on;
    },
    onCrosshair() {},
    onMarkerClick() {},
    onLayout() {},
    yOf: () => null,
    xOf: (row) => row * 10,
    priceAt: () => null,
    paneTops: () => [0],
    onPanes() {},
    axisWidth: () => 60,
    retheme() {},
    dispose() {},
  };
  return {
    port,
    state,
    move: (range: Range) => {
      state.visible = range;
      moved(range);
    },
  };
}

describe('chart controller', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['requestAnimationFrame', 'setTimeout', 'clearTimeout'] });
  });
  afterEach(() => vi.useRealTimers());
  const frame = () => vi.advanceTimersByTimeAsync(20);
  let instrument = 0;

  async function open(limitOfHistory = 10_000, timeframe = '1m', behind = 0) {
    let windows = 0;
    const transport = new MockTransport({
      answers: {},
      binary: (_command, args) => {
        const { before, limit } = args as { before?: string; limit: number };
        const last = before ? Date.parse(before) / 1_000 - 60 : NOW;
        const first = NOW - limitOfHistory * 60;
        const rows = Math.max(0, Math.min(limit, (last - first) / 60 + 1));
        windows += 1;
        return windows > behind ? page(last, rows, rows === limit) : page(last - 600, rows - 10, false, true);
      },
    });
    const fake = fakePort();
    const chart = new ChartController(transport, fake.port);
    const phases: Phase['state'][] = [];
    chart.onPhase = ({ state }) => phases.push(state);
    // Histories are cached by what they show; every test shows something else.
    chart.open({ instrument: `I${instrument++}`, timeframe, set: '' });
    await frame();
    return { transport, chart, phases, ...fake };
  }
  const bar = (time: number) => ({ time, o: 1, h: 2, l: 0, c: 1.5, v: 1, plots: [] });

  it('shows the newest candles first and says when they are there', async () => {
    const { chart, phases, state } = await open();
    expect(phases).toEqual(['loading', 'ready']);
    expect(chart.rows).toBe(1_000);
    expect(state.visible).toEqual({ from: 870, to: 1_012 });
  });

  it('shows what is stored while the venue is asked, and asks again until it has answered', async () => {
    const { chart, phases, transport } = await open(10_000, '1m', 2);
    expect(phases).toEqual(['loading', 'ready']);
    expect([chart.rows, chart.store.catchingUp]).toEqual([990, true]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect([chart.rows, chart.store.catchingUp]).toEqual([990, true]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect([chart.rows, chart.store.catchingUp]).toEqual([1_000, false]);
    const asked = () => transport.calls.filter((call) => call.command === 'chart.window').length;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked()).toBe(3);
  });

  it('keeps who has scrolled back where they are while it catches up', async () => {
    const { chart, move, state, transport } = await open(10_000, '1m', 1);
    move({ from: 50, to: 180 });
    await frame();
    await frame();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(chart.store.catchingUp).toBe(false);
    const last = transport.calls.filter((call) => call.command === 'chart.window').at(-1)?.args as { limit: number };
    expect(last.limit).toBeGreaterThanOrEqual(990 - 50 + 300);
    expect(state.visible?.from).toBeGreaterThan(0);
    expect(chart.rows).toBe(last.limit);
  });

  it('asks for nothing more once it is closed', async () => {
    const { chart, transport } = await open(10_000, '1m', 2);
    chart.dispose();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(transport.calls.filter((call) => call.command === 'chart.window')).toHaveLength(1);
  });

  it('fetches older candles when the view comes near the start, without moving it', async () => {
    const { chart, move, state, transport } = await open();
    move({ from: 50, to: 180 });
    await frame();
    await frame();
    expect(chart.rows).toBe(3_000);
    expect(state.visible).toEqual({ from: 2_050, to: 2_180 });
    const asked = transport.calls.filter((call) => call.command === 'chart.window');
    expect(asked).toHaveLength(2);
    expect(state.span.end - state.span.start).toBeLessThanOrEqual(3_300);
  });

  it('goes back to the newest candle from a window that does not reach it', async () => {
    const { chart, state } = await open();
    await chart.goTo(NOW - 5_000 * 60);
    expect(state.span.end).toBeLessThan(chart.rows);
    chart.showNewest();
    expect(state.span.end).toBe(chart.rows);
    expect(state.visible?.to).toBe(chart.rows + 12);
  });

  it('stops asking at the beginning of history', async () => {
    const { move, transport } = await open(1_500);
    for (let i = 0; i < 4; i++) {
      move({ from: -10, to: 120 });
      await frame();
      await frame();
    }
    expect(transport.calls.filter((call) => call.command === 'chart.window')).toHaveLength(2);
  });

  it('applies a hundred ticks in one frame as one change', async () => {
    const { chart, state, transport } = await open();
    for (let i = 0; i < 100; i++) transport.send('chart', 'delta', { forming: bar(NOW) });
    expect(state.updates).toBe(0);
    await frame();
    expect(state.updates).toBe(1);
    transport.send('chart', 'delta', { closed: [bar(NOW)], forming: bar(NOW + 60) });
    await frame();
    expect(chart.rows).toBe(1_001);
  });

  it('loads again when candles are missing in between', async () => {
    const { chart, transport, phases } = await open();
    transport.send('chart', 'delta', { forming: bar(NOW + 600) });
    await frame();
    await frame();
    expect(transport.calls.filter((call) => call.command === 'chart.window')).toHaveLength(2);
    expect(phases.at(-1)).toBe('ready');
    // The fresh window has the same hole: the market was silent, and the candle is shown.
    expect(chart.store.time(chart.rows - 1)).toBe(NOW + 600);
    transport.send('chart', 'delta', { forming: bar(NOW + 600) });
    await frame();
    expect(transport.calls.filter((call) => call.command === 'chart.window')).toHaveLength(2);
  });

  it('sees no hole in the time between candles of trades, and one behind a snapshot that does not repeat the last', async () => {
    const { chart, transport } = await open(10_000, '100t');
    const windows = () => transport.calls.filter((call) => call.command === 'chart.window').length;
    transport.send('chart', 'delta', { closed: [bar(NOW + 1e-6), bar(NOW + 3_600)], forming: bar(NOW + 9_000) });
    await frame();
    expect([chart.rows, windows()]).toEqual([1_003, 1]);
    transport.send('chart', 'snapshot', { closed: [bar(NOW + 3_600)], forming: bar(NOW + 9_000) });
    await frame();
    expect(windows()).toBe(1);
    transport.send('chart', 'snapshot', { closed: [bar(NOW + 9_001)], forming: bar(NOW + 9_002) });
    await frame();
    expect(windows()).toBe(2);
  });

  it('says when there are no candles at all', async () => {
    const { phases } = await open(-1);
    expect(phases).toEqual(['loading', 'empty']);
  });

  it('paints nothing while hidden and catches up when shown', async () => {
    const { chart, state, transport } = await open();
    chart.setHidden(true);
    transport.send('chart', 'delta', { forming: bar(NOW) });
    await frame();
    expect(state.updates).toBe(0);
    chart.setHidden(false);
    await frame();
    expect(state.updates).toBe(1);
  });

  it('merges candles when many are on screen', async () => {
    const { chart, move, state } = await open();
    for (let i = 0; i < 3; i++) {
      move({ from: 0, to: chart.rows });
      await frame();
      await frame();
    }
    expect(chart.level).toBeGreaterThan(0);
    expect((state.visible?.to ?? 0) - (state.visible?.from ?? 0)).toBeLessThanOrEqual(1_700);
  });
});

it.each([
  ['1m', 60],
  ['15m', 900],
  ['4h', 14_400],
  ['1d', 86_400],
  ['2w', 1_209_600],
])('%s is %d seconds', (timeframe, seconds) => expect(timeframeSeconds(timeframe)).toBe(seconds));

it.each([
  ['15', '15m'],
  ['4H', '4h'],
  ['1M', '1M'],
  ['100t', '100t'],
  ['0500 V', '500v'],
  ['2.5r', '2.5r'],
  ['0.000000001k', '0.000000001k'],
  ['1000000n', '1000000n'],
  ['0t', null],
  ['1.5t', null],
  ['7x', null],
])('%s typed is %s', (text, timeframe) => {
  expect(readTimeframe(text)).toBe(timeframe);
  if (timeframe) expect(isTimed(timeframe)).toBe(/[mhM]$/.test(timeframe));
});

it.each([
  [1_700_000_000, '2023-11-14T22:13:20.000Z'],
  [1_700_000_000.123, '2023-11-14T22:13:20.123Z'],
  [1_700_000_000.123001, '2023-11-14T22:13:20.123001Z'],
  [1_700_000_000.99999, '2023-11-14T22:13:20.999990Z'],
])('%d as text keeps its microseconds', (seconds, text) => expect(isoTime(seconds)).toBe(text));
