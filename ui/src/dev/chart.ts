import { encodeFrame } from '@/transport/frame';
import type { ChartBar } from '@/transport/types';
import { instrument, now } from './clock';
import { barAt, secondsOf } from './market';
import { study } from './studies';

export const bar = (id: string, step: number, time: number, until?: number): ChartBar => {
  const b = barAt(id, time, step, until);
  return { time, o: b.open, h: b.high, l: b.low, c: b.close, v: b.volume, plots: [] };
};
export function window(args: { instrument: string; timeframe: string; before?: string; limit: number; set: string }) {
  const step = secondsOf(args.timeframe);
  const forming = !args.before;
  const last = args.before
    ? Math.floor((Date.parse(args.before) / 1000 - 1) / step) * step
    : Math.floor(now() / step) * step;
  const warm = 300;
  const count = args.limit + warm;
  const columns = Array.from({ length: 6 }, () => new Float64Array(count));
  for (let i = 0; i < count; i++) {
    const time = last - (count - 1 - i) * step;
    const b = barAt(args.instrument, time, step, forming && i === count - 1 ? now() : undefined);
    [b.time, b.open, b.high, b.low, b.close, b.volume].forEach((value, c) => {
      const column = columns[c];
      if (column) column[i] = value;
    });
  }
  const plots = study(args.set, columns[4] ?? new Float64Array());
  const all = [...columns, ...plots.columns].map((column) => column.slice(warm));
  return encodeFrame(
    {
      instrument: args.instrument,
      timeframe: args.timeframe,
      rows: args.limit,
      columns: ['time', 'open', 'high', 'low', 'close', 'volume', ...plots.names],
      price_decimals: instrument(args.instrument).price_decimals,
      provider: 'SIM',
      has_more_before: true,
      forming,
      catching_up: false,
    },
    all,
  );
}
