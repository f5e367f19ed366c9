import { create } from 'zustand';
import type { BacktestArgs, BacktestResult } from '@/transport/types';

export interface Run {
  args: BacktestArgs;
  state: 'running' | 'done' | 'failed' | 'canceled';
  jobId: string | null;
  result: BacktestResult | null;
  error: string | null;
}
interface Backtests {
  run: Run | null;
  set(run: Run | null): void;
  change(change: Partial<Run>): void;
}

/** The backtest the form started and the report shows. It goes on when the panels are closed: it is a job. */
export const useBacktests = create<Backtests>((set) => ({
  run: null,
  set: (run) => set({ run }),
  change: (change) => set((s) => (s.run ? { run: { ...s.run, ...change } } : s)),
}));
