import { describe, expect, it } from 'vitest';
import type { PatternInfo } from '@/bindings';
import { NO_LAYERS, readLayers } from './layers';
import { marksOf } from './patterns';
import { kindName } from './useStructure';

const info = (name: string, direction: PatternInfo['direction']): PatternInfo => ({
  name,
  ta_lib: `CDL${name.toUpperCase()}`,
  title: name,
  candles: 1,
  direction,
  doc: '',
  source: '',
});
const KNOWN = [info('hammer', 'bullish'), info('engulfing', 'both'), info('doji', 'neutral'), info('hikkake', 'both')];
const HITS = [
  { open_time: '2026-01-05T10:00:00Z', pattern: 'hammer', signal: 100 },
  { open_time: '2026-01-05T10:00:00Z', pattern: 'engulfing', signal: 100 },
  { open_time: '2026-01-05T10:00:00Z', pattern: 'doji', signal: 100 },
  { open_time: '2026-01-05T11:00:00Z', pattern: 'engulfing', signal: -100 },
  { open_time: '2026-01-05T12:00:00Z', pattern: 'hikkake', signal: -200 },
  { open_time: '2026-01-05T12:00:00Z', pattern: 'of another version', signal: 100 },
];
const shown = (change: Partial<typeof NO_LAYERS> = {}) =>
  marksOf(HITS, KNOWN, { ...NO_LAYERS, ...change }).map(({ side, hits }) => [side, hits.map((hit) => hit.info.name)]);

describe('pattern marks', () => {
  it('are one per candle and side', () => {
    expect(shown()).toEqual([
      ['bull', ['hammer', 'engulfing']],
      ['bear', ['engulfing']],
      ['bear', ['hikkake']],
    ]);
    expect(shown({ side: 'all' })).toContainEqual(['plain', ['doji']]);
  });
  it('pass the filter', () => {
    expect(shown({ side: 'bullish' })).toEqual([['bull', ['hammer', 'engulfing']]]);
    expect(shown({ side: 'bearish', without: ['engulfing'] })).toEqual([['bear', ['hikkake']]]);
    expect(shown({ strength: 200 })).toEqual([['bear', ['hikkake']]]);
  });
  it('stand at the candle that completes the pattern', () => {
    expect(marksOf(HITS, KNOWN, NO_LAYERS)[0]?.time).toBe(Date.UTC(2026, 0, 5, 10) / 1000);
  });
});

it('layers in a stored layout become the default where they are wrong', () => {
  expect(readLayers(null)).toEqual(NO_LAYERS);
  expect(readLayers({ patterns: true, side: 'up', strength: 7, without: ['doji', 3], levels: 'yes' })).toEqual({
    ...NO_LAYERS,
    patterns: true,
    without: ['doji'],
  });
});

it('kinds of chart patterns have names for people', () => {
  expect(kindName('head_and_shoulders')).toBe('Head and shoulders');
});
