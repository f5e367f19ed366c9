import { PlugZap } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { cx } from '@/kit/cx';
import { type Column, Grid } from '@/kit/Grid';
import { StatusDot } from '@/kit/StatusDot';
import { EmptyState } from '@/kit/states';
import { Answered } from '@/lib/Answered';
import * as fmt from '@/lib/format';
import { useCommand } from '@/transport/hooks';
import type { Connection } from '@/transport/types';
import { ConnectionDetail } from './ConnectionDetail';
import { badgesOf, budgetShare, QUIET_S, statusOf } from './connections';
import { SourceBadges } from './SourceBadges';

const TONES = { ok: 'text-ok', degraded: 'text-warn', down: 'text-crit', off: 'text-t3' };
const NOTHING = '–';

/** Every venue that gives data or takes orders, and how it stands; a row opens what is behind it. */
export function Connections() {
  const { t } = useTranslation();
  const query = useCommand('connections.list', {}, { refetchInterval: 2_000 });
  const [opened, setOpened] = useState<string | null>(null);
  const columns: Column<Connection>[] = [
    { id: 'state', head: t('monitor.state'), width: 'minmax(78px, 0.6fr)', cell: (c) => <StateWord connection={c} /> },
    {
      id: 'venue',
      head: t('monitor.venue'),
      width: 'minmax(178px, 1.8fr)',
      cell: (c) => (
        <span className="flex items-center gap-1.5">
          <span className="shrink-0 font-medium">{c.name}</span>
          <SourceBadges badges={badgesOf(c)} notice={c.notice} />
        </span>
      ),
    },
    {
      id: 'kind',
      head: t('monitor.channel'),
      width: '46px',
      cell: (c) => t(`data.channel.${c.kind}` as 'data.channel.http', c.kind),
      className: 'text-t2',
    },
    {
      id: 'uptime',
      head: t('data.since'),
      width: 'minmax(54px, 0.5fr)',
      numeric: true,
      cell: (c) => <span title={fmt.dateFull(c.since)}>{fmt.age(Date.now() - Date.parse(c.since))}</span>,
    },
    {
      id: 'last',
      head: t('monitor.lastMessage'),
      width: 'minmax(68px, 0.5fr)',
      numeric: true,
      cell: (c) => (c.last_message_age_s === undefined ? NOTHING : fmt.age(c.last_message_age_s * 1_000)),
      className: (c) => (c.subscriptions > 0 && (c.last_message_age_s ?? 0) > QUIET_S ? 'text-warn' : ''),
    },
    {
      id: 'subscriptions',
      head: t('data.subs'),
      width: '30px',
      numeric: true,
      cell: (c) => fmt.integer(c.subscriptions),
    },
    {
      id: 'reconnects',
      head: t('monitor.reconnects'),
      width: '64px',
      numeric: true,
      cell: (c) => fmt.integer(c.reconnects),
      className: (c) => (c.reconnects > 0 ? 'text-warn' : ''),
    },
    { id: 'budget', head: t('data.budget'), width: 'minmax(84px, 1fr)', cell: (c) => <Budget connection={c} /> },
    {
      id: 'breaker',
      head: t('data.breaker'),
      width: '48px',
      cell: (c) => (c.breaker ? t(`data.breakerState.${c.breaker}`) : NOTHING),
      className: (c) => (c.breaker && c.breaker !== 'closed' ? 'text-crit' : 'text-t2'),
    },
    {
      id: 'clock',
      head: t('data.clock'),
      width: '64px',
      numeric: true,
      cell: (c) => (c.clock_offset_ms === undefined ? NOTHING : `${fmt.change(String(c.clock_offset_ms), 0)} ms`),
      className: (c) => (Math.abs(c.clock_offset_ms ?? 0) > 1_000 ? 'text-warn' : 'text-t2'),
    },
    {
      id: 'quarantined',
      head: t('data.quarantined'),
      width: '50px',
      numeric: true,
      cell: (c) => (c.quarantined === undefined ? NOTHING : fmt.integer(c.quarantined)),
      className: (c) => ((c.quarantined ?? 0) > 0 ? 'text-warn' : 'text-t2'),
    },
  ];
  return (
    <Answered query={query}>
      {({ connections }) => {
        const shown = connections.find((each) => each.name === opened);
        return connections.length === 0 ? (
          <EmptyState icon={<PlugZap />} title={t('monitor.noConnections')}>
            {t('monitor.noConnectionsText')}
          </EmptyState>
        ) : (
          <>
            <Grid
              label={t('panel.connections')}
              columns={columns}
              rows={connections}
              keyOf={(c) => c.name}
              onActivate={(c) => setOpened(c.name)}
              activateOnClick
            />
            {shown ? <ConnectionDetail connection={shown} onClose={() => setOpened(null)} /> : null}
          </>
        );
      }}
    </Answered>
  );
}

/** Shape, colour and word. */
export function StateWord({ connection }: { connection: Connection }) {
  const { t } = useTranslation();
  const status = statusOf(connection);
  return (
    <span className={cx('flex items-center gap-1.5', TONES[status])}>
      <StatusDot status={status} />
      <span className="truncate">{status === 'off' ? t('data.state.off') : t(`data.state.${connection.state}`)}</span>
    </span>
  );
}

/** Requests that may still be made now. */
export function Budget({ connection }: { connection: Connection }) {
  const { t } = useTranslation();
  const share = budgetShare(connection);
  if (share === null) return <span className="text-t3">{NOTHING}</span>;
  const text = t('data.budgetLeft', {
    left: fmt.integer(connection.budget_left),
    limit: fmt.integer(connection.budget_limit),
  });
  return (
    <span className="flex items-center gap-2" title={text}>
      <span
        role="meter"
        aria-label={t('data.budget')}
        aria-valuemin={0}
        aria-valuemax={connection.budget_limit}
        aria-valuenow={connection.budget_left}
        aria-valuetext={text}
        className="h-1.5 min-w-8 flex-1 overflow-hidden rounded-full bg-bg3"
      >
        <span
          className={cx('block h-full rounded-full', share < 0.2 ? 'bg-warn' : 'bg-accent')}
          style={{ width: `${share * 100}%` }}
        />
      </span>
      <span className="num min-w-7 text-t2">{fmt.integer(connection.budget_left)}</span>
    </span>
  );
}
