import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Status, StatusDot } from '@/kit/StatusDot';
import * as fmt from '@/lib/format';
import { useCommand, useLinkStatus } from '@/transport/hooks';
import { useLive, useQuoteBook } from '@/transport/live';

export function StatusBar() {
  const { t } = useTranslation();
  const link = useLinkStatus();
  const book = useQuoteBook();
  const health = useLive('health', {}).data;
  const stats = useLive('stats', {}).data;
  const connections = useCommand('connections.list', {}, { refetchInterval: 5_000 }).data?.connections ?? [];
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
      {connections.slice(0, 6).map((each) => {
        const status: Status = each.state === 'open' ? 'ok' : each.state === 'closed' ? 'down' : 'degraded';
        const age = each.last_message_age_s;
        return (
          <span key={each.name} className="flex items-center gap-1.5">
            <StatusDot status={status} label={each.state} />
            {each.state === 'open'
              ? each.name
              : `${each.name} ${each.state}${age === undefined ? '' : ` · ${t('state.stale', { age: fmt.age(age * 1_000) })}`}`}
          </span>
        );
      })}
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
