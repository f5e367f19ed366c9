import { useTranslation } from 'react-i18next';
import { Button } from '@/kit/Button';
import { toast } from '@/kit/toasts';
import * as fmt from '@/lib/format';
import { useAction } from '@/transport/hooks';
import { useLive } from '@/transport/live';
import type { Job } from '@/transport/types';
import { fetchesOf } from './coverage';

const NONE: Job[] = [];

/** Fetches on their way with a way to stop them, and those that stopped with a way to go on. */
export function FetchJobs() {
  const { t } = useTranslation();
  const jobs = useLive('jobs', {}).data ?? NONE;
  const { running, stopped } = fetchesOf(jobs);
  const cancel = useAction('jobs.cancel');
  const start = useAction('fetch.start');
  if (running.length + stopped.length === 0) return null;
  const resume = ({ fetch }: Job) => {
    if (!fetch) return;
    const { instrument, timeframe, from, to } = fetch;
    start.mutate(
      { instrument, timeframe, from, to },
      { onError: (error) => toast({ tone: 'crit', title: t('coverage.fetchFailed'), detail: error.message }) },
    );
  };
  return (
    <ul aria-label={t('coverage.fetches')} className="max-h-28 shrink-0 overflow-auto border-b border-line py-1">
      {[...running, ...stopped].map((job) => {
        const active = running.includes(job);
        return (
          <li key={job.id} className="flex h-7 items-center gap-3 px-2.5">
            <span className="w-52 truncate font-medium" title={job.title}>
              {job.title}
            </span>
            <span
              role="progressbar"
              aria-label={job.title}
              aria-valuemin={0}
              aria-valuemax={100}
              aria-valuenow={Math.round(job.progress * 100)}
              className="h-1.5 w-32 shrink-0 overflow-hidden rounded-full bg-bg3"
            >
              <span
                className={`block h-full ${active ? 'bg-accent' : 'bg-warn'}`}
                style={{ width: `${job.progress * 100}%` }}
              />
            </span>
            <span className="num w-9 shrink-0 text-t2">{fmt.percent(job.progress)}</span>
            <span
              className={`min-w-0 flex-1 truncate ${job.error ? 'text-crit' : 'text-t2'}`}
              title={job.error ?? job.message}
            >
              {job.error ?? job.message}
            </span>
            {active ? (
              <Button
                size="sm"
                aria-label={t('monitor.cancelJob', { title: job.title })}
                onClick={() => cancel.mutate({ job_id: job.id })}
              >
                {t('action.cancel')}
              </Button>
            ) : (
              <Button size="sm" aria-label={t('coverage.resumeJob', { title: job.title })} onClick={() => resume(job)}>
                {t('coverage.resume')}
              </Button>
            )}
          </li>
        );
      })}
    </ul>
  );
}
