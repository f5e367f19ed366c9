import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lastAtOrBefore, levelFor, MAX_ON_SCREEN, needsSwap, windowAround } from './window';

describe('windowed history', () => {
  const view = fc.record({
    total: fc.integer({ min: 1, max: 1_000_000 }),
    from: fc.double({ min: -500, max: 1_000_000, noNaN: true }),
    screen: fc.double({ min: 1, max: MAX_ON_SCREEN, noNaN: true }),
  });

  it('holds what is visible and never more than the budget and a screen each side', () => {
    fc.assert(
      fc.property(view, ({ total, from, screen }) => {
        const start = Math.min(from, total - 1);
        const span = windowAround({ from: start, to: start + screen }, total);
        expect(span.start).toBeGreaterThanOrEqual(0);
        expect(span.end).toBeLessThanOrEqual(total);
        expect(span.end - span.start).toBeLessThanOrEqual(3_000 + 2 * screen + 1);
        expect(span.start).toBeLessThanOrEqual(Math.max(0, Math.ceil(start)));
        expect(span.end).toBeGreaterThanOrEqual(Math.min(total, Math.floor(start + screen)));
      }),
    );
  });

  it('does not ask for another window right after taking one', () => {
    fc.assert(
      fc.property(view, ({ total, from, screen }) => {
        const start = Math.max(0, Math.min(from, total - screen));
        const visible = { from: start, to: start + screen };
        expect(needsSwap(windowAround(visible, total), visible, total)).toBe(false);
      }),
    );
  });

  it('merges by four until a screen holds at most the limit', () => {
    expect(levelFor(1_600)).toBe(0);
    expect(levelFor(1_601)).toBe(1);
    expect(levelFor(6_400)).toBe(1);
    expect(levelFor(6_401)).toBe(2);
    expect(levelFor(1_000_000)).toBe(5);
  });

  it('finds the candle a time belongs to', () => {
    const times = Float64Array.of(10, 20, 30, 0);
    expect([5, 10, 19, 30, 99].map((t) => lastAtOrBefore(times, t, 3))).toEqual([-1, 0, 0, 2, 2]);
  });
});
