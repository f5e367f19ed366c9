import type { IndicatorInfo } from '@/transport/types';

const length = { name: 'length', default: 14, min: 1, max: 5_000, integer: true };
const info = (name: string, title: string, group: string, rest: Partial<IndicatorInfo> = {}): IndicatorInfo => ({
  name,
  title,
  group,
  params: [length],
  outputs: [{ name: '', title: 'Value' }],
  guides: [],
  overlay: group === 'overlap',
  takes_series: true,
  warm_up: 13,
  doc: `What ${title} means.`,
  source: 'A book',
  ...rest,
});

/** A few of the engine's indicators, as its list tells of them. */
export const KNOWN: IndicatorInfo[] = [
  info('ema', 'Exponential moving average', 'overlap', { params: [{ ...length, default: 9 }] }),
  info('bb', 'Bollinger bands', 'overlap', {
    params: [
      { ...length, default: 20 },
      { name: 'deviations', default: 2, min: 0.1, max: 10, integer: false },
    ],
    outputs: ['upper', 'middle', 'lower'].map((name) => ({ name, title: name })),
  }),
  info('rsi', 'Relative strength index', 'momentum', { guides: [30, 70] }),
  info('macd', 'Moving average convergence/divergence', 'momentum', {
    params: [12, 26, 9].map((value, i) => ({ ...length, name: ['fast', 'slow', 'signal'][i] ?? '', default: value })),
    outputs: ['', 'signal', 'histogram'].map((name) => ({ name, title: name || 'MACD' })),
    guides: [0],
  }),
  info('vwap', 'Volume-weighted average price', 'overlap', {
    takes_series: false,
    params: [{ name: 'session_hours', default: 24, min: 1, max: 720, integer: true }],
  }),
  info('obv', 'On-balance volume', 'volume', { takes_series: false, params: [] }),
];
