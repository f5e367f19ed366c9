/** Levels by which an oscillator is read, drawn as thin lines in its pane. */
const GUIDES: Record<string, readonly number[]> = {
  rsi: [30, 70],
  stochrsi: [20, 80],
  stoch: [20, 80],
  stochf: [20, 80],
  mfi: [20, 80],
  ultosc: [30, 70],
  wpr: [-80, -20],
  cci: [-100, 100],
  cmo: [-50, 50],
  aroonosc: [-50, 50],
  adx: [25],
  chop: [38.2, 61.8],
  hurst: [0.5],
  zscore: [-2, 2],
};

/** Its levels; zero for what swings about it, told by a histogram among the outputs. */
export function guidesOf(name: string, outputs: readonly string[]): readonly number[] {
  return GUIDES[name] ?? (outputs.includes('histogram') ? [0] : []);
}
