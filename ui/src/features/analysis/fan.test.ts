import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SimilarMoments } from '@/bindings';
import { fanOf, ticksBetween } from './fan';
import { piecesOf } from './sentence';

const result = {
  close: '200',
  outcomes: [{ horizon: 5 }, { horizon: 20 }],
  moments: [{ returns: [0.01, -0.02] }, { returns: [0.03] }],
  fan: [1, 2].map((step) => ({ step, q05: -0.04, q25: -0.01, median: 0.005, q75: 0.02, q95: 0.05 })),
} as unknown as SimilarMoments;

describe('fan', () => {
  it('starts at now, with the past in returns against the same close', () => {
    const shape = fanOf(result, [100, 150, 200]);
    expect(shape.past).toEqual([
      { step: -2, value: -0.5 },
      { step: -1, value: -0.25 },
      { step: 0, value: 0 },
    ]);
    expect([shape.first, shape.last]).toEqual([-2, 20]);
    expect(shape.median.map((point) => point.step)).toEqual([0, 1, 2]);
    expect(shape.moments[0]).toEqual([
      { step: 0, value: 0 },
      { step: 5, value: 0.01 },
      { step: 20, value: -0.02 },
    ]);
    expect(shape.moments[1], 'an outcome that is not known yet ends its line').toHaveLength(2);
  });

  it('has the past and the bands in its range', () => {
    const shape = fanOf(result, []);
    expect(shape.low).toBeLessThan(-0.04);
    expect(shape.high).toBeGreaterThan(0.05);
    expect(shape.past).toEqual([]);
  });

  it('has round ticks inside its range', () => {
    expect(ticksBetween(-0.083, 0.061, 6).map((tick) => Number(tick.toFixed(6)))).toEqual([-0.05, 0, 0.05]);
    fc.assert(
      fc.property(
        fc.double({ min: -5, max: 5, noNaN: true }),
        fc.double({ min: 1e-4, max: 10, noNaN: true }),
        (low, span) => {
          const ticks = ticksBetween(low, low + span, 6);
          expect(ticks.length).toBeLessThanOrEqual(7);
          for (const tick of ticks) {
            expect(tick).toBeGreaterThanOrEqual(low - span * 1e-6);
            expect(tick).toBeLessThanOrEqual(low + span * (1 + 1e-6));
          }
        },
      ),
    );
  });
});

describe('sentence', () => {
  it('is cut at its values in the order in which they are printed', () => {
    expect(piecesOf('RSI 14 is 14.2, below 30.', ['14.2', '30'])).toEqual([
      { text: 'RSI 14 is ', field: null },
      { text: '14.2', field: 0 },
      { text: ', below ', field: null },
      { text: '30', field: 1 },
      { text: '.', field: null },
    ]);
  });
  it('loses no letter, whatever the values are', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string({ maxLength: 3 })), (text, printed) => {
        expect(
          piecesOf(text, printed)
            .map((piece) => piece.text)
            .join(''),
        ).toBe(text);
      }),
    );
  });
});
