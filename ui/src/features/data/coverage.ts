import type { Coverage, Job } from '@/bindings';

/** A stretch of a coverage bar; `left` and `width` are shares of it. */
export interface Piece {
  /** `have` = stored; `asked` = a provider was asked, whatever it had; the rest is missing, by reason. */
  kind: 'have' | 'asked' | 'no_trades' | 'not_fetched' | 'lost' | 'unknown';
  left: number;
  width: number;
  from: string;
  to: string;
  provider?: string;
  missing?: number;
}

const time = (text: string) => Date.parse(text);

/** From the first to the last of what is stored or was asked for. */
export function extentOf({ first, last, ranges }: Coverage): { from: number; to: number } {
  return {
    from: Math.min(time(first), ...ranges.map((range) => time(range.from))),
    to: Math.max(time(last), ...ranges.map((range) => time(range.to))),
  };
}

/** The stored stretch, what was asked for beyond it, and the gaps, in the order they are painted. */
export function piecesOf(coverage: Coverage): Piece[] {
  const { from: start, to: end } = extentOf(coverage);
  const length = Math.max(1, end - start);
  const place = (from: string, to: string) => ({
    from,
    to,
    left: (time(from) - start) / length,
    width: Math.max(0, time(to) - time(from)) / length,
  });
  return [
    ...coverage.ranges.map(({ from, to, provider }): Piece => ({ kind: 'asked', provider, ...place(from, to) })),
    { kind: 'have', ...place(coverage.first, coverage.last) },
    ...coverage.gaps.map(({ from, to, reason, missing }): Piece => ({ kind: reason, missing, ...place(from, to) })),
  ];
}

/** Who was asked for it, each once; files ask nobody. */
export const providersOf = ({ ranges }: Coverage): string[] => [...new Set(ranges.map((range) => range.provider))];

/** Fetches that run, newest first, and the newest of those that stopped before their end for each series. */
export function fetchesOf(jobs: readonly Job[]): { running: Job[]; stopped: Job[] } {
  const fetches = jobs.filter((job) => job.kind === 'fetch');
  const running = fetches.filter((job) => job.state === 'running' || job.state === 'queued');
  const seen = new Set(running.map(seriesOf));
  const stopped: Job[] = [];
  for (const job of [...fetches].sort((a, b) => time(b.started_at) - time(a.started_at))) {
    if (running.includes(job) || seen.has(seriesOf(job))) continue;
    seen.add(seriesOf(job));
    if (job.state === 'failed' || job.state === 'canceled') stopped.push(job);
  }
  return { running, stopped };
}

const seriesOf = ({ fetch, title }: Job) =>
  fetch ? `${fetch.instrument} ${fetch.timeframe} ${fetch.from} ${fetch.to}` : title;
