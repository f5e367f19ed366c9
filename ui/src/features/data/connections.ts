import type { Status } from '@/kit/StatusDot';
import type { Connection } from '@/transport/types';

/** Silence of a connection with subscriptions that is worth a colour. */
export const QUIET_S = 60;

const STATUS: Record<Connection['state'], Status> = {
  open: 'ok',
  degraded: 'degraded',
  connecting: 'degraded',
  retrying: 'degraded',
  closed: 'down',
};

/** A connection that nobody asked for is off, not down. */
export function statusOf(connection: Connection): Status {
  const unused = connection.state === 'closed' && connection.subscriptions === 0 && !connection.last_error;
  return unused ? 'off' : STATUS[connection.state];
}

const RANK: Record<Status, number> = { down: 3, degraded: 2, ok: 1, off: 0 };

/** What a person should hear of first is greatest. */
export const severityOf = (connection: Connection): number => RANK[statusOf(connection)];

/** What is left of the request budget, 0 to 1; `null` where there is none. */
export function budgetShare({ budget_left: left, budget_limit: limit }: Connection): number | null {
  return left === undefined || !limit ? null : Math.min(1, left / limit);
}

/** What a person must know of the source: its short name for a badge. */
export function badgesOf({ notice, pacing, kind }: Connection): ('delayed' | 'unofficial' | 'simulated')[] {
  const words = notice?.toLowerCase() ?? '';
  const simulated = pacing === 'simulated' || kind === 'simulated';
  return [
    ...(simulated ? (['simulated'] as const) : []),
    ...(pacing === 'delayed' || words.includes('delay') ? (['delayed'] as const) : []),
    ...(words.includes('unofficial') ? (['unofficial'] as const) : []),
  ];
}
