import { expect, it } from 'vitest';
import type { Coverage, Job } from '@/bindings';
import { matching } from './CoveragePanel';
import { extentOf, fetchesOf, piecesOf, providersOf } from './coverage';
import { rangeProblem } from './FetchForm';

const day = (n: number) => `2026-01-${String(n).padStart(2, '0')}T00:00:00Z`;
const coverage: Coverage = {
  instrument: 'AAPL.ALPACA',
  timeframe: '1h',
  first: day(3),
  last: day(11),
  candles: 120,
  gap_count: 1,
  ranges: [
    { from: day(1), to: day(6), provider: 'ALPACA:iex' },
    { from: day(6), to: day(11), provider: 'ALPACA:iex' },
  ],
  gaps: [{ from: day(6), to: day(7), missing: 7, reason: 'not_fetched' }],
};

it('reaches from the first to the last of what is stored or was asked for', () => {
  const { from, to } = extentOf(coverage);
  expect([new Date(from).getUTCDate(), new Date(to).getUTCDate()]).toEqual([1, 11]);
});

it('places what is stored and what is missing on the same line', () => {
  const pieces = piecesOf(coverage);
  const have = pieces.find(({ kind }) => kind === 'have');
  const gap = pieces.find(({ kind }) => kind === 'not_fetched');
  expect([have?.left, have?.width]).toEqual([0.2, 0.8]);
  expect([gap?.left, gap?.width, gap?.missing]).toEqual([0.5, 0.1, 7]);
  // What is missing is painted over what is there.
  expect(pieces.indexOf(gap as never)).toBeGreaterThan(pieces.indexOf(have as never));
});

it('names a provider once, and none for a file', () => {
  expect(providersOf(coverage)).toEqual(['ALPACA:iex']);
  expect(providersOf({ ...coverage, ranges: [] })).toEqual([]);
});

it('a file without gaps and of one candle is a full bar', () => {
  const one = { ...coverage, first: day(3), last: day(3), ranges: [], gaps: [] };
  expect(piecesOf(one)).toMatchObject([{ kind: 'have', left: 0 }]);
});

it('finds by parts of the instrument and the timeframe', () => {
  expect(matching([coverage], 'aapl 1h')).toHaveLength(1);
  expect(matching([coverage], 'aapl 1d')).toHaveLength(0);
  expect(matching([coverage], ' ')).toHaveLength(1);
});

it.each([
  ['', '', 'missing'],
  ['2026-01-05', '2026-01-05', 'order'],
  ['2026-01-05', '2026-01-06', null],
  ['2026-02-05', '', 'future'],
  ['2026-01-05', '', null],
])('from %s to %s: %s', (from, to, problem) => {
  expect(rangeProblem(from, to, Date.parse(day(20)))).toBe(problem);
});

const job = (id: string, started: number, state: Job['state'], from = 1): Job => ({
  id,
  kind: 'fetch',
  title: 'AAPL 1h',
  state,
  progress: 0.4,
  message: '',
  started_at: day(started),
  fetch: {
    instrument: 'AAPL.ALPACA',
    timeframe: '1h',
    from: day(from),
    to: day(9),
    done_to: day(2),
    candles: 1,
    expected: 9,
  },
});

it('offers to go on with what stopped, unless it runs or was done since', () => {
  const ids = (jobs: Job[]) => fetchesOf(jobs).stopped.map(({ id }) => id);
  expect(ids([job('a', 1, 'failed')])).toEqual(['a']);
  expect(ids([job('a', 1, 'failed'), job('b', 2, 'canceled')])).toEqual(['b']);
  expect(ids([job('a', 1, 'failed'), job('b', 2, 'running')])).toEqual([]);
  expect(ids([job('a', 1, 'canceled'), job('b', 2, 'done')])).toEqual([]);
  expect(ids([job('a', 1, 'failed'), job('b', 2, 'done', 3)])).toEqual(['a']);
  expect(fetchesOf([{ ...job('a', 1, 'running'), kind: 'backtest' }]).running).toEqual([]);
});
