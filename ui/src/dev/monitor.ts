import type { Health, LogLine, Stats } from '@/transport/types';
import { iso, now, start } from './clock';
import { hash } from './market';

export const health = (): Health => ({
  status: 'degraded',
  version: '0.1.0',
  uptime_s: now() - start + 273120,
  components: [
    { name: 'Engine', status: 'ok', detail: `0.1.0`, since: iso(start) },
    { name: 'Market data ingest', status: 'ok', detail: '1 venue', since: iso(start) },
    {
      name: 'SIM stream',
      status: 'degraded',
      detail: 'retry 2 of 8',
      since: iso(start),
      parent: 'Market data ingest',
    },
    { name: 'Candle aggregator', status: 'ok', detail: '125 series', since: iso(start) },
    { name: 'Execution', status: 'ok', detail: '1 account', since: iso(start) },
    { name: 'Database (SQLite)', status: 'ok', detail: 'wal 2.1 MB', since: iso(start) },
    { name: 'MCP socket', status: 'ok', detail: '1 client', since: iso(start) },
    { name: 'Updater', status: 'ok', detail: 'off while live', since: iso(start) },
  ],
});
export const stats = (): Stats => ({
  messages_per_s: 290 + Math.round(40 * Math.sin(now() / 60) + 30 * hash(1, Math.floor(now()))),
  event_to_screen_p99_ms: 9,
  cpu: 0.04,
  memory_mb: 212,
  queue_depth: 7,
  automation: { running: 2, paused: 1 },
});
export const log = (back: number, level: LogLine['level'], component: string, message: string): LogLine => ({
  time: iso(start - back),
  level,
  component,
  message,
  fields: {},
});
export const logs = [
  log(2000, 'info', 'backtest', 'Run #118 finished: 42,310 bars in 1.8 s'),
  log(1500, 'warn', 'risk', 'SOL-PERP short blocked: correlated exposure 72% over limit 60%'),
  log(1200, 'info', 'aggregate', 'Closed 1,284 candles in 11 ms'),
  log(
    300,
    'error',
    'execution',
    'Order rejected: insufficient buying power for 400 NVDA (needs 56,768.00, has 21,004.12)',
  ),
  log(20, 'warn', 'ingest', 'Stream closed by peer; retry 2 of 8 in 6 s'),
];
