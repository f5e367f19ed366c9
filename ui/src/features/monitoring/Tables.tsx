import { ListChecks, ScrollText } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/kit/Button';
import { Chip, type Tone } from '@/kit/Chip';
import { type Column, Grid } from '@/kit/Grid';
import { EmptyState, ErrorState, Skeleton } from '@/kit/states';
import * as fmt from '@/lib/format';
import { useAction, useCommand } from '@/transport/hooks';
import { useLive } from '@/transport/live';
import type { AuditRow, Job } from '@/transport/types';

const JOB: Record<Job['state'], Tone> = {
  queued: 'neutral',
  running: 'accent',
  done: 'up',
  failed: 'crit',
  canceled: 'neutral',
};

export function Jobs() {
  const { t } = useTranslation();
  const { data, error } = useLive('jobs', {});
  const cancel = useAction('jobs.cancel');
  if (error && !data)
    return (
      <ErrorState
        message={error.message}
        code={error.code}
        retryLabel={t('action.retry')}
        copyLabel={t('action.copyDetails')}
      />
    );
  if (!data) return <Skeleton label={t('state.loading')} />;
  if (data.length === 0)
    return (
      <EmptyState icon={<ListChecks />} title={t('monitor.noJobs')}>
        {t('monitor.noJobsText')}
      </EmptyState>
    );
  const columns: Column<Job>[] = [
    {
      id: 'started',
      head: t('chart.table.time'),
      width: '80px',
      cell: (j) => fmt.clock(j.started_at),
      className: 'text-t2',
    },
    { id: 'title', head: t('monitor.job'), width: '1.4fr', cell: (j) => j.title, className: 'font-medium' },
    { id: 'state', head: t('monitor.state'), width: '80px', cell: (j) => <Chip tone={JOB[j.state]}>{j.state}</Chip> },
    { id: 'progress', head: t('monitor.progress'), width: '90px', numeric: true, cell: (j) => fmt.percent(j.progress) },
    {
      id: 'message',
      head: t('logs.text'),
      width: '1.6fr',
      cell: (j) => j.error ?? j.message,
      className: (j) => (j.error ? 'text-crit' : 'text-t2'),
    },
    {
      id: 'cancel',
      head: '',
      width: '60px',
      cell: (j) =>
        j.state === 'running' || j.state === 'queued' ? (
          <Button
            variant="link"
            size="bare"
            className="h-6"
            aria-label={t('monitor.cancelJob', { title: j.title })}
            onClick={() => cancel.mutate({ job_id: j.id })}
          >
            {t('action.cancel')}
          </Button>
        ) : null,
    },
  ];
  return <Grid label={t('panel.jobs')} columns={columns} rows={data} keyOf={(j) => j.id} />;
}

export function Audit() {
  const { t } = useTranslation();
  const query = useCommand('audit.list', { limit: 500 }, { refetchInterval: 3_000 });
  if (query.isPending) return <Skeleton label={t('state.loading')} />;
  if (query.error)
    return (
      <ErrorState
        message={query.error.message}
        code={query.error.code}
        retryLabel={t('action.retry')}
        copyLabel={t('action.copyDetails')}
        onRetry={() => void query.refetch()}
      />
    );
  const rows = query.data.rows;
  if (rows.length === 0)
    return (
      <EmptyState icon={<ScrollText />} title={t('monitor.noAudit')}>
        {t('monitor.noAuditText')}
      </EmptyState>
    );
  const columns: Column<AuditRow>[] = [
    {
      id: 'time',
      head: t('chart.table.time'),
      width: '100px',
      cell: (r) => fmt.clockMillis(r.time),
      className: 'text-t3',
    },
    { id: 'actor', head: t('monitor.actor'), width: '100px', cell: (r) => r.actor },
    { id: 'surface', head: t('monitor.surface'), width: '70px', cell: (r) => r.surface, className: 'text-t2' },
    { id: 'command', head: t('monitor.command'), width: '140px', cell: (r) => r.command, className: 'text-accent' },
    {
      id: 'outcome',
      head: t('monitor.outcome'),
      width: '100px',
      cell: (r) => r.outcome,
      className: (r) => (r.outcome === 'ok' ? 'text-ok' : 'text-crit'),
    },
    {
      id: 'request',
      head: t('monitor.request'),
      width: 'minmax(160px, 1fr)',
      cell: (r) => <span title={r.message}>{JSON.stringify(r.request)}</span>,
      className: 'text-t2',
    },
    {
      id: 'took',
      head: 'µs',
      width: '70px',
      numeric: true,
      cell: (r) => fmt.integer(r.duration_us),
      className: 'text-t2',
    },
  ];
  return (
    <Grid
      mono
      label={t('panel.audit')}
      columns={columns}
      rows={rows}
      rowHeight={21}
      keyOf={(r) => `${r.time} ${r.trace_id} ${r.command}`}
    />
  );
}
