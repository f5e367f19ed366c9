import { useEffect, useState } from 'react';
import { useTransport } from '@/transport/hooks';
import type { Transport } from '@/transport/Transport';
import type { Stats } from '@/transport/types';

/** One day of one-second samples would be heavy; what is older than this is dropped. */
const KEEP = 900;

export interface Sample {
  time: number;
  messages: number;
  cpu: number;
  memory: number;
  queue: number;
  screen: number;
}

/** The last quarter of an hour of `stats`, collected for as long as the page lives. */
export class StatsHistory {
  samples: Sample[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(transport: Pick<Transport, 'subscribe'>, now: () => number = Date.now) {
    transport.subscribe('stats', {}, ({ data }) => this.add(data, now() / 1_000));
  }

  add(stats: Stats, time: number): void {
    const sample: Sample = {
      time,
      messages: stats.messages_per_s,
      cpu: stats.cpu,
      memory: stats.memory_mb,
      queue: stats.queue_depth,
      screen: stats.event_to_screen_p99_ms,
    };
    this.samples = [...this.samples.slice(-(KEEP - 1)), sample];
    for (const listener of this.#listeners) listener();
  }

  listen(on: () => void): () => void {
    this.#listeners.add(on);
    return () => this.#listeners.delete(on);
  }
}

const histories = new WeakMap<Transport, StatsHistory>();
export function useStatsHistory(): Sample[] {
  const transport = useTransport();
  let history = histories.get(transport);
  if (!history) {
    history = new StatsHistory(transport);
    histories.set(transport, history);
  }
  const current = history;
  const [samples, setSamples] = useState(current.samples);
  useEffect(() => current.listen(() => setSamples(current.samples)), [current]);
  return samples;
}
