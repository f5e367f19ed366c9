import type { SimilarMoments } from '@/bindings';

export interface FanPoint {
  /** Candles from now; negative before. */
  step: number;
  value: number;
}
export interface FanShape {
  /** Returns against now's close, so that the past and the fan share a scale. */
  past: FanPoint[];
  bands: { low: FanPoint[]; high: FanPoint[] }[];
  median: FanPoint[];
  /** One polyline per moment, through the horizons at which its outcome was taken. */
  moments: FanPoint[][];
  low: number;
  high: number;
  first: number;
  last: number;
}

/** The lines of a fan chart: what prices did before now, and how they went on after moments like it. */
export function fanOf(result: SimilarMoments, closes: readonly number[]): FanShape {
  const now = closes.at(-1) ?? Number(result.close);
  const past = closes.map((close, i) => ({ step: i - closes.length + 1, value: close / now - 1 }));
  const start = { step: 0, value: 0 };
  const line = (key: 'q05' | 'q25' | 'median' | 'q75' | 'q95') => [
    start,
    ...result.fan.map((point) => ({ step: point.step, value: point[key] })),
  ];
  const horizons = result.outcomes.map((outcome) => outcome.horizon);
  const moments = result.moments.map((moment) => [
    start,
    ...moment.returns.flatMap((value, i) => (horizons[i] === undefined ? [] : [{ step: horizons[i], value }])),
  ]);
  const bands = [
    { low: line('q05'), high: line('q95') },
    { low: line('q25'), high: line('q75') },
  ];
  // The farthest neighbours may leave the picture: the scale is that of the bands and of the past.
  const values = [...past, ...bands.flatMap((band) => [...band.low, ...band.high])].map((point) => point.value);
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const air = (high - low || 0.01) * 0.08;
  return {
    past,
    bands,
    median: line('median'),
    moments,
    low: low - air,
    high: high + air,
    first: past[0]?.step ?? 0,
    last: Math.max(1, ...horizons, ...result.fan.map((point) => point.step)),
  };
}

/** Round numbers between two values, at most `count` of them. */
export function ticksBetween(low: number, high: number, count: number): number[] {
  const rough = (high - low) / Math.max(1, count);
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * ([1, 2, 5, 10].find((factor) => unit * factor >= rough) ?? 10);
  const ticks: number[] = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + step * 1e-9; tick += step)
    ticks.push(Math.abs(tick) < step * 1e-6 ? 0 : tick);
  return ticks;
}
