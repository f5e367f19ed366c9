import { expect, it } from 'vitest';
import type { ProvenanceSegment } from '@/bindings';
import { noticeWords } from './HonestyStrip';
import { at, stretchesOf, verdictOf } from './honesty';

const segment = (from: number, to: number, kind: ProvenanceSegment['kind']): ProvenanceSegment => ({
  from: new Date(from * 1000).toISOString(),
  to: new Date(to * 1000).toISOString(),
  kind,
  candles: 1,
});
/** Ten seconds a pixel. */
const xOf = (seconds: number) => seconds / 10;

it('places segments on the axis, cut at its ends, and leaves out what is not in sight', () => {
  const all = [segment(-500, 100, 'imported'), segment(100, 400, 'streamed'), segment(5_000, 6_000, 'streamed')];
  expect(stretchesOf(all, xOf, 100).map(({ left, right }) => [left, right])).toEqual([
    [0, 10],
    [10, 40],
  ]);
});

it('never hides a gap, however narrow, and finds it before its neighbours', () => {
  const all = [segment(0, 500, 'streamed'), segment(500, 501, 'gap'), segment(501, 900, 'backfilled')];
  const stretches = stretchesOf(all, xOf, 100);
  expect(stretches[1]?.right).toBeGreaterThanOrEqual(52);
  expect(at(stretches, 51)?.kind).toBe('gap');
  expect(at(stretches, 20)?.kind).toBe('streamed');
  expect(at(stretches, 95)).toBeNull();
});

it.each([
  ['live', 5_000, 'live'],
  ['live', 61_000, 'stale'],
  ['simulated', 11_000, 'stale'],
  ['stored', 86_400_000, 'stored'],
  ['delayed', 900_000, 'delayed'],
  ['live', null, 'live'],
] as const)('%s data of %s ms is %s', (freshness, age, verdict) => expect(verdictOf({ freshness }, age)).toBe(verdict));

it('reads the badge out of a notice', () => {
  expect(noticeWords('Delayed by 15 minutes')).toEqual(['delayed']);
  expect(noticeWords('Unofficial interface, delayed')).toEqual(['delayed', 'unofficial']);
  expect(noticeWords('Only IEX trades')).toEqual(['notice']);
});
