import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { severityOf, statusOf } from '@/features/data/connections';
import { cx } from '@/kit/cx';
import { type Status, StatusDot } from '@/kit/StatusDot';
import * as fmt from '@/lib/format';
import { useUi } from '@/lib/ui';
import { useCommand, useLinkStatus } from '@/transport/hooks';
import { useLive, useQuoteBook } from '@/transport/live';
import type { Connection } from '@/transport/types';

const NONE: Connection[] = [];
/** As many as fit beside the figures; the troubled ones are among them. */
const SHOWN = 5;

const goToConnections = () => {
  const { go, show } = useUi.getState();
  go('monitor');
  requestAnimationFrame(() => show('connections'));
};

/** One entry per connection, what is wrong first; all lead to the Connections panel. */
function ConnectionEntries({ connections }: { connections: readonly Connection[] }) {
  const { t } = useTranslation();
  const sorted = [...connections]
    .filter((each) => statusOf(each) !== 'off')
    .sort((a, b) => severityOf(b) - severityOf(a));
  if (sorted.length === 0) return null;
  const rest = sorted.length - SHOWN;
  return (
    <button
      type="button"
      title={t('status.connections', { count: sorted.length })}
      onClick={goToConnections}
      className="flex h-6 min-w-0 items-center gap-4 rounded-sm hover:text-t1"
    >
      {sorted.slice(0, SHOWN).map((each) => {
        const status = statusOf(each);
        return (
          <span
            key={each.name}
            title={each.detail}
            className={cx(
              'flex items-center gap-1.5',
              status === 'degraded' && 'text-warn',
              status === 'down' && 'text-crit',
            )}
          >
            <StatusDot status={status} label={t(`data.state.${each.state}`)} /> {each.name}
            {status === 'ok' ? null : <Trouble connection={each} />}
          </span>
        );
      })}
      {rest > 0 ? <span>{t('status.more', { count: rest })}</span> : null}
      <span className="sr-only">{t('status.openConnections')}</span>
    </button>
  );
}

/** `reconnecting (2) · data 14 s old`. */
function Trouble({ connection }: { connection: Connection }) {
  const { t } = useTranslation();
  const { state, reconnects, last_message_age_s: age } = connection;
  const word = t(`data.state.${state}`);
  return (
    <span>
      {reconnects > 0 ? `${word} (${fmt.integer(reconnects)})` : word}
      {age === undefined ? '' : ` · ${t('status.dataAge', { age: fmt.age(age * 1_000) })}`}
    </span>
  );
}

export function StatusBar() {
  const { t } = useTranslation();
  const link = useLinkStatus();
  const book = useQuoteBook();
  const health = useLive('health', {}).data;
  const stats = useLive('stats', {}).data;
  const connections = useCommand('connections.list', {}, { refetchInterval: 5_000 }).data?.connections ?? NONE;
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);

  const engine: Status = link === 'open' ? (health?.status ?? 'ok') : link === 'closed' ? 'down' : 'degraded';
  const engineText =
    link === 'open'
      ? t('status.engine', { version: health?.version ?? '' })
      : link === 'retrying'
        ? t('status.retrying', { age: fmt.age(book.at === null ? 0 : performance.now() - book.at) })
        : t(link === 'connecting' ? 'status.connecting' : 'status.engineOffline');
  return (
    <footer className="flex items-center gap-4 overflow-hidden border-t border-line bg-bg1 px-2.5 text-xs whitespace-nowrap text-t2">
      <span className="flex items-center gap-1.5">
        <StatusDot status={engine} label={engine} /> {engineText}
      </span>
      <ConnectionEntries connections={connections} />
      <span className="flex-1" />
      {stats ? (
        <>
          <span className="live">
            {t('status.messages', { count: fmt.integer(Math.round(stats.messages_per_s)) as never })}
          </span>
          {stats.event_to_screen_p99_ms > 0 ? (
            <span className="live">
              {t('status.screen', { ms: fmt.quantity(Math.round(stats.event_to_screen_p99_ms * 10) / 10) })}
            </span>
          ) : null}
          {stats.cpu === null || stats.memory_mb === null ? null : (
            <span className="live">
              {t('status.resources', { cpu: fmt.percent(stats.cpu), memory: fmt.integer(Math.round(stats.memory_mb)) })}
            </span>
          )}
          <span>{t('status.automation', stats.automation)}</span>
        </>
      ) : null}
      <span>
        {t('status.zone')} <time>{fmt.clock(now)}</time>
      </span>
    </footer>
  );
}
