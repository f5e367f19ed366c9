import { expect, it } from 'vitest';
import type { NewsItem } from '@/bindings';
import { byCandle } from './useNews';

const at = (published_at: string) => ({ published_at }) as NewsItem;

it('puts what was published in the time of a candle at that candle, the oldest first', () => {
  const items = [at('2026-01-05T11:59:59Z'), at('2026-01-05T10:59:00Z'), at('2026-01-05T11:00:00Z')];
  const candles = [...byCandle(items, 3_600)].map(([open, told]) => [new Date(open * 1000).toISOString(), told.length]);
  expect(candles).toEqual([
    ['2026-01-05T10:00:00.000Z', 1],
    ['2026-01-05T11:00:00.000Z', 2],
  ]);
});
