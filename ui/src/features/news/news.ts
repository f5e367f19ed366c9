import type { NewsItem, NewsList } from '@/bindings';

export const WINDOWS = ['1h', '24h', '7d', 'all'] as const;
export type Window = (typeof WINDOWS)[number];
const HOUR = 3_600_000;
const LENGTH: Record<Window, number | null> = { '1h': HOUR, '24h': 24 * HOUR, '7d': 168 * HOUR, all: null };

/** Where a window begins, on whole minutes so that a question stays the same for one; none for `all`. */
export function sinceOf(window: Window, now: number): string | undefined {
  const length = LENGTH[window];
  return length === null ? undefined : new Date(Math.floor((now - length) / 60_000) * 60_000).toISOString();
}

/** Addresses come from others: only those of the web are links. */
export function linkOf({ url }: Pick<NewsItem, 'url'>): string | null {
  try {
    return ['https:', 'http:'].includes(new URL(url).protocol) ? url : null;
  } catch {
    return null;
  }
}

/** `reuters.com` for what a publisher is called. */
export const hostOf = (url: string): string => /^https?:\/\/(?:www\.)?([^/:]+)/.exec(url)?.[1] ?? '';

/** How much of the answer is of now. */
export type Standing = 'none' | 'fresh' | 'partly' | 'offline';
export function standingOf({ providers }: Pick<NewsList, 'providers'>): Standing {
  if (providers.length === 0) return 'none';
  const failed = providers.filter(({ answer }) => answer === 'failed').length;
  return failed === 0 ? 'fresh' : failed === providers.length ? 'offline' : 'partly';
}
