import { RotateCw, ShieldCheck, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { GapRow, QuarantinedRow } from '@/bindings';
import { Button } from '@/kit/Button';
import { Dialog } from '@/kit/Dialog';
import { type Column, Grid } from '@/kit/Grid';
import { EmptyState } from '@/kit/states';
import { toast } from '@/kit/toasts';
import { Answered } from '@/lib/Answered';
import * as fmt from '@/lib/format';
import { useAction, useCommand } from '@/transport/hooks';
import { symbolOf } from '@/transport/instruments';
import type { Connection } from '@/transport/types';
import { Budget, StateWord } from './Connections';
import { badgesOf } from './connections';
import { SourceBadges } from './SourceBadges';

/** What is behind a row: what it can do, what went wrong last, its outages and what it sent that was not taken. */
export function ConnectionDetail({ connection, onClose }: { connection: Connection; onClose: () => void }) {
  const { t } = useTranslation();
  const { name, notice, last_error: error, held_until: held, capabilities: can } = connection;
  const facts: [string, ReactNode][] = [
    [t('monitor.state'), <StateWord key="state" connection={connection} />],
    [t('data.since'), fmt.dateFull(connection.since)],
    [t('data.events'), fmt.integer(connection.events)],
    [t('monitor.subscriptions'), fmt.integer(connection.subscriptions)],
    [t('monitor.reconnects'), fmt.integer(connection.reconnects)],
    [t('data.budget'), <Budget key="budget" connection={connection} />],
    ...(held && Date.parse(held) > Date.now() ? [[t('data.held'), fmt.clock(held)] as [string, ReactNode]] : []),
    ...(connection.breaker
      ? [[t('data.breaker'), t(`data.breakerState.${connection.breaker}`)] as [string, ReactNode]]
      : []),
    ...(can
      ? [
          [
            t('data.can'),
            abilities(can)
              .map((word) => t(`data.ability.${word}`))
              .join(' · '),
          ] as [string, ReactNode],
        ]
      : []),
  ];
  return (
    <Dialog
      side
      open
      width="w-[640px]"
      title={
        <span className="flex items-center gap-2">
          {name} <SourceBadges badges={badgesOf(connection)} notice={notice} />
        </span>
      }
      description={notice ?? connection.detail}
      closeLabel={t('action.close')}
      onOpenChange={(open) => !open && onClose()}
    >
      <div className="flex h-full flex-col gap-4">
        {notice && connection.detail ? <p className="text-t2 selectable">{connection.detail}</p> : null}
        {error ? (
          <p className="flex gap-2 rounded-sm border border-warn/40 bg-warn/10 px-2.5 py-1.5 selectable">
            <TriangleAlert aria-hidden className="mt-px size-3.5 shrink-0 text-warn" />
            <span>
              {t('data.lastError', { error })}
              {connection.last_error_at ? (
                <span className="text-t2"> · {fmt.dateTime(connection.last_error_at)}</span>
              ) : null}
            </span>
          </p>
        ) : null}
        <dl className="grid grid-cols-[auto_1fr_auto_1fr] items-center gap-x-4 gap-y-1.5">
          {facts.map(([term, value]) => (
            <div key={term} className="contents">
              <dt className="text-t2">{term}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        {connection.kind === 'simulated' ? null : <Restart venue={connection.venue} />}
        <Section title={t('data.outages')}>
          <Outages venue={connection.venue} />
        </Section>
        <Section title={t('data.refused')}>
          <Refused provider={connection.venue} />
        </Section>
      </div>
    </Dialog>
  );
}

/** Begins the venue's connections anew; the row shows how that goes. */
function Restart({ venue }: { venue: string }) {
  const { t } = useTranslation();
  const restart = useAction('connections.restart');
  const begin = () =>
    restart.mutate(
      { venue },
      {
        onSuccess: () => toast({ tone: 'info', title: t('data.restarting', { venue }) }),
        onError: ({ message }) => toast({ tone: 'crit', title: t('data.restartFailed', { venue }), detail: message }),
      },
    );
  return (
    <Button className="self-start" disabled={restart.isPending} onClick={begin}>
      <RotateCw aria-hidden className="size-3.5" />
      {t('data.restart')}
    </Button>
  );
}

/** What its data can do, in the order of a sentence. */
export function abilities(can: NonNullable<Connection['capabilities']>) {
  const words = [
    can.trades && 'trades',
    can.quotes && 'quotes',
    can.streams_candles && 'candles',
    can.finest_candle !== undefined && 'history',
    can.needs_credentials && 'credentials',
  ] as const;
  return words.filter((word) => word !== false);
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title} className="flex min-h-40 flex-1 flex-col">
      <h3 className="mb-1 font-semibold">{title}</h3>
      <div className="min-h-0 flex-1 rounded-sm border border-line">{children}</div>
    </section>
  );
}

function Refused({ provider }: { provider: string }) {
  const { t } = useTranslation();
  const query = useCommand('data.quarantine', { provider }, { refetchInterval: 5_000 });
  const columns: Column<QuarantinedRow>[] = [
    { id: 'time', head: t('chart.table.time'), width: '64px', cell: (r) => fmt.clock(r.time), className: 'text-t2' },
    {
      id: 'reason',
      head: t('data.reason'),
      width: 'minmax(140px, 1fr)',
      cell: (r) => <span title={r.reason}>{r.reason}</span>,
    },
    {
      id: 'text',
      head: t('data.asItCame'),
      width: 'minmax(160px, 1.2fr)',
      cell: (r) => <span title={r.text}>{r.text}</span>,
      className: 'font-mono text-xs text-t2 selectable',
    },
    { id: 'count', head: '×', width: '40px', numeric: true, cell: (r) => fmt.integer(r.count) },
  ];
  return (
    <Answered query={query} rows={3}>
      {({ rows }) =>
        rows.length === 0 ? (
          <EmptyState icon={<ShieldCheck />} title={t('data.noneRefused')}>
            {t('data.noneRefusedText')}
          </EmptyState>
        ) : (
          <Grid
            label={t('data.refused')}
            columns={columns}
            rows={rows}
            keyOf={(r) => `${r.first_time} ${r.reason} ${r.text}`}
          />
        )
      }
    </Answered>
  );
}

const GAP_TONES = { open: 'text-warn', backfilled: 'text-ok', gap: 'text-crit' };

function Outages({ venue }: { venue: string }) {
  const { t } = useTranslation();
  const query = useCommand('data.gaps', { venue, limit: 200 }, { refetchInterval: 5_000 });
  const columns: Column<GapRow>[] = [
    { id: 'from', head: t('data.from'), width: '104px', cell: (r) => fmt.dateTime(r.from), className: 'text-t2' },
    { id: 'instrument', head: t('data.symbol'), width: 'minmax(72px, 0.6fr)', cell: (r) => symbolOf(r.instrument) },
    {
      id: 'length',
      head: t('data.length'),
      width: '64px',
      numeric: true,
      cell: (r) => fmt.age((r.to ? Date.parse(r.to) : Date.now()) - Date.parse(r.from)),
    },
    {
      id: 'state',
      head: t('monitor.state'),
      width: '84px',
      cell: (r) => t(`data.gapState.${r.state}`),
      className: (r) => GAP_TONES[r.state],
    },
    { id: 'candles', head: t('data.came'), width: '52px', numeric: true, cell: (r) => fmt.integer(r.candles) },
    {
      id: 'reason',
      head: t('data.reason'),
      width: 'minmax(120px, 1fr)',
      cell: (r) => <span title={r.reason}>{r.reason}</span>,
      className: 'text-t2',
    },
  ];
  return (
    <Answered query={query} rows={3}>
      {({ gaps }) =>
        gaps.length === 0 ? (
          <EmptyState icon={<ShieldCheck />} title={t('data.noOutages')}>
            {t('data.noOutagesText')}
          </EmptyState>
        ) : (
          <Grid label={t('data.outages')} columns={columns} rows={gaps} keyOf={(r) => `${r.instrument} ${r.from}`} />
        )
      }
    </Answered>
  );
}
