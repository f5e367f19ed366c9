import { useEffect } from 'react';
import { usePrefs } from '@/lib/prefs';
import { useUi } from '@/lib/ui';
import { useTransport } from '@/transport/hooks';
import { useLive } from '@/transport/live';
import { TransportError } from '@/transport/Transport';
import type { BacktestArgs, Job } from '@/transport/types';
import { useBacktests } from './backtest.store';

const NO_JOBS: Job[] = [];

/** Starts a run as a job and fetches its result when the job is done. */
export function useRunner(): { job: Job | undefined; start: (args: BacktestArgs) => void; cancel: () => void } {
  const transport = useTransport();
  const jobs = useLive('jobs', {}).data ?? NO_JOBS;
  const { run, set, change } = useBacktests();
  const job = run?.jobId ? jobs.find((each) => each.id === run.jobId) : undefined;

  useEffect(() => {
    if (run?.state !== 'running' || !run.jobId || !job) return;
    if (job.state === 'failed' || job.state === 'canceled')
      change({ state: job.state, error: job.error ?? job.message });
    else if (job.state === 'done')
      transport
        .call('backtest.result', { job_id: run.jobId }, { timeoutMs: 60_000 })
        .then((result) => {
          change({ state: 'done', result });
          const { onboarding, set: save } = usePrefs.getState();
          if (!onboarding.includes('backtest')) save({ onboarding: [...onboarding, 'backtest'] });
        })
        .catch((cause) => change({ state: 'failed', error: TransportError.from(cause).message }));
  }, [run, job, change, transport]);

  return {
    job,
    start(args) {
      set({ args, state: 'running', jobId: null, result: null, error: null });
      transport
        .call('backtest.start', args)
        .then(({ job_id }) => {
          change({ jobId: job_id });
          useUi.getState().show('report');
        })
        .catch((cause) => change({ state: 'failed', error: TransportError.from(cause).message }));
    },
    cancel() {
      if (run?.jobId)
        transport
          .call('jobs.cancel', { job_id: run.jobId })
          .catch((cause) => change({ error: TransportError.from(cause).message }));
    },
  };
}
