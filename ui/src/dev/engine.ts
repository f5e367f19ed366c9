import { MockTransport } from '@/transport/MockTransport';
import { TransportError } from '@/transport/Transport';
import type { CommandMap, Layout, RunningStrategy, Topic } from '@/transport/types';
import { backtest } from './backtest';
import { depth, trades } from './book';
import { bar, window } from './chart';
import { instrument, iso, now, start, state } from './clock';
import { barAt, INSTRUMENTS, priceAt, quoteAt, secondsOf } from './market';
import { health, logs, stats } from './monitor';
import { sourceAnswers } from './sources';
import { study } from './studies';
import { accounts, decisions, fills, open, order, orders, positions, preview } from './trading';

/** `npm run dev:mock`: a screen with something on it, without an engine. Development only. */
export function developmentTransport(): MockTransport {
  const running: RunningStrategy[] = [
    {
      id: 'S-1',
      strategy: 'ema-cross',
      instrument: 'BTC-PERP.SIM',
      timeframe: '15m',
      account: 'paper',
      params: { fast: '10', slow: '20' },
      state: 'running',
      signal_count: 12,
      order_count: 4,
      since: iso(start - 90000),
    },
    {
      id: 'S-2',
      strategy: 'breakout',
      instrument: 'NVDA.SIM',
      timeframe: '1h',
      account: 'paper',
      params: {},
      state: 'paused',
      signal_count: 3,
      order_count: 1,
      since: iso(start - 190000),
    },
  ];
  const layouts = new Map<string, Layout>();
  const settings = new Map<string, unknown>();

  // Answers are looser than the contract: this is a stage set, not an engine.
  type Handlers = { [C in keyof CommandMap]?: (args: CommandMap[C][0]) => unknown };
  const answers: Handlers = {
    'symbols.list': () => ({ instruments: INSTRUMENTS }),
    'quotes.list': () => ({ quotes: INSTRUMENTS.map((i) => quoteAt(i, now())) }),
    'candles.get': ({ instrument: id, timeframe, limit = 200 }) => {
      const step = secondsOf(timeframe);
      const d = instrument(id).price_decimals;
      const last = Math.floor(now() / step) * step;
      return {
        instrument: id,
        timeframe,
        provider: 'SIM',
        candles: Array.from({ length: limit }, (_, i) => {
          const b = barAt(id, last - (limit - i) * step, step);
          return {
            open_time: iso(b.time),
            open: b.open.toFixed(d),
            high: b.high.toFixed(d),
            low: b.low.toFixed(d),
            close: b.close.toFixed(d),
            volume: b.volume.toFixed(3),
          };
        }),
      };
    },
    'indicators.list': () => ({
      indicators: [
        ['sma', 'Simple moving average', true, 20],
        ['ema', 'Exponential moving average', true, 21],
        ['bb', 'Bollinger bands', true, 20],
        ['rsi', 'Relative strength index', false, 14],
      ].map(([name, title, overlay, n]) => ({
        name: String(name),
        title: String(title),
        group: overlay ? 'Trend' : 'Momentum',
        params: [{ name: 'length', default: Number(n), min: 1, max: 500 }],
        outputs: [{ name: String(name), title: String(title) }],
        guides: name === 'rsi' ? [30, 70] : [],
        overlay: Boolean(overlay),
        doc: '',
      })),
    }),
    'strategies.list': () => ({
      strategies: [
        {
          name: 'ema-cross',
          title: 'EMA cross',
          description: 'Buys when the fast EMA crosses above the slow one.',
          params: [
            { name: 'fast', default: '10' },
            { name: 'slow', default: '20' },
          ],
          source:
            'name = "ema-cross"\n\n[entry]\nlong = "cross_above(ema(close, fast), ema(close, slow))"\n\n[exit]\nlong = "cross_below(ema(close, fast), ema(close, slow))"\n',
        },
        {
          name: 'rsi-reversion',
          title: 'RSI reversion',
          description: 'Buys oversold, sells the mean.',
          params: [{ name: 'length', default: '14' }],
          source: 'name = "rsi-reversion"\n',
        },
        {
          name: 'breakout',
          title: 'Breakout',
          description: 'Buys a new high of N candles.',
          params: [{ name: 'length', default: '20' }],
          source: 'name = "breakout"\n',
        },
      ],
    }),
    'strategies.running': () => ({ strategies: running }),
    'strategies.start': (args) => {
      const id = `S-${++state.counter}`;
      running.push({
        ...args,
        params: args.params ?? {},
        id,
        state: 'warming',
        signal_count: 0,
        order_count: 0,
        since: iso(now()),
      });
      return { id };
    },
    'strategies.stop': ({ id }) => {
      const found = running.find((s) => s.id === id);
      if (found) found.state = 'stopped';
      return {};
    },
    'expressions.check': ({ text }) =>
      text.includes('emma')
        ? {
            ok: false,
            error: {
              message: 'unknown function `emma`',
              start: text.indexOf('emma'),
              end: text.indexOf('emma') + 4,
              hint: 'did you mean `ema`?',
            },
          }
        : { ok: true, type: 'bool' },
    'expressions.complete': () => ({ items: [], start: 0, end: 0 }),
    'backtest.run': ({ instrument: id }) => backtest(id),
    'backtest.start': () => {
      const job = {
        id: `J-${++state.counter}`,
        kind: 'backtest',
        title: 'ema-cross BTC-PERP 15m',
        message: '',
        started_at: iso(now()),
      };
      setTimeout(() => transport.push('jobs', [{ ...job, state: 'running', progress: 0.4 }]), 300);
      setTimeout(() => transport.push('jobs', [{ ...job, state: 'done', progress: 1 }]), 1_200);
      return { job_id: job.id };
    },
    'backtest.result': () => backtest('BTC-PERP.SIM'),
    'jobs.list': () => ({ jobs: [] }),
    'orders.preview': preview,
    'orders.place': (args) => {
      if (state.halted)
        throw new TransportError({
          code: 'denied',
          message: 'Trading is halted',
          retryable: false,
          reasons: ['trading is halted'],
        });
      const placed = order(args, args.order_type === 'market' ? 'filled' : 'accepted');
      orders.unshift(placed);
      transport.push('orders', [placed]);
      return { order_id: placed.id, client_order_id: placed.client_order_id, status: placed.status };
    },
    'orders.cancel': ({ order_id }) => {
      const found = orders.find((o) => o.id === order_id);
      if (found) {
        found.status = 'canceled';
        transport.push('orders', [{ ...found }]);
      }
      return {};
    },
    'orders.list': () => ({ orders }),
    'positions.list': positions,
    'positions.close': ({ instrument: id }) => {
      const index = open.findIndex((p) => p.instrument === id);
      if (index >= 0) open.splice(index, 1);
      transport.push('positions', positions());
      return {};
    },
    'fills.list': () => ({ fills }),
    'accounts.list': () => ({ accounts: accounts() }),
    'risk.show': () => ({
      halted: state.halted,
      limits: [
        { account: 'paper', name: 'max_order_notional', limit: '100000', used: '27340', unit: 'USD' },
        { account: 'paper', name: 'daily_loss', limit: '1500', used: '0', unit: 'USD' },
        { account: 'paper', name: 'max_open_orders', limit: '50', used: '2', unit: 'orders' },
      ],
      recent_denials: [],
    }),
    'risk.set': () => ({}),
    'risk.halt': () => {
      state.halted = true;
      transport.push('accounts', accounts());
      return {};
    },
    'risk.resume': () => {
      state.halted = false;
      transport.push('accounts', accounts());
      return {};
    },
    'approvals.list': () => ({ approvals: [] }),
    'decisions.list': () => ({ decisions }),
    'journal.explain': () => ({
      steps: [
        {
          seq: 4101,
          time: iso(start - 23002),
          kind: 'candle',
          title: 'Candle BTC-PERP 15m closed',
          detail: { close: '67951.2', trades: 214 },
          caused_by: 4100,
        },
        {
          seq: 4102,
          time: iso(start - 23002),
          kind: 'signal',
          title: 'ema-cross: enter long',
          detail: { 'ema(10)': '67820.1', 'ema(20)': '67801.4' },
          caused_by: 4101,
        },
        {
          seq: 4103,
          time: iso(start - 23001),
          kind: 'risk',
          title: 'Risk gate: 7 of 7 checks pass',
          detail: {},
          caused_by: 4102,
        },
        {
          seq: 4104,
          time: iso(start - 23001),
          kind: 'order',
          title: 'Order O-12 sent',
          detail: { qty: '0.400' },
          caused_by: 4103,
        },
        {
          seq: 4106,
          time: iso(start - 23000),
          kind: 'fill',
          title: 'Filled 0.400 at 67,954.0',
          detail: { fee: '2.71' },
          caused_by: 4104,
        },
      ],
    }),
    'health.get': health,
    'metrics.get': () => ({
      counters: [{ name: 'candlewick_candles_total', labels: {}, value: 1284 }],
      gauges: [],
      histograms: [
        'ingest to candle',
        'candle to enriched',
        'event to screen',
        'order round trip',
        'decision',
        'database write',
      ].map((name, i) => ({
        name,
        labels: {},
        unit: 'ms',
        count: 1200,
        sum: 9,
        p50: 0.04 * 4 ** i,
        p95: 0.11 * 4 ** i,
        p99: 0.31 * 4 ** i,
        max: 0.7 * 4 ** i,
      })),
    }),
    ...sourceAnswers(start),
    'logs.list': () => ({ logs }),
    'audit.list': () => ({ rows: [] }),
    'commands.list': () => ({
      commands: [
        { name: 'orders.place', title: 'Place an order', description: 'Sends an order', access: 'trade', risk: 'high' },
      ],
    }),
    'workspaces.get': ({ name = 'trade' }) => {
      const found = layouts.get(name);
      if (!found) throw new TransportError({ code: 'not_found', message: 'no such workspace', retryable: false });
      return found;
    },
    'workspaces.save': ({ name, layout }) => {
      layouts.set(name, { name, layout, schema_version: 1, revision: 1 });
      return {};
    },
    'settings.get': ({ key }) => ({ value: settings.get(key) ?? null }),
    'settings.set': ({ key, value }) => {
      settings.set(key, value);
      return {};
    },
    'console.run': ({ line }) =>
      line.startsWith('pos')
        ? {
            blocks: [
              { kind: 'table', columns: ['symbol', 'side', 'qty', 'pnl'], rows: [['NVDA', 'long', '60', '-70.80']] },
            ],
          }
        : {
            blocks: [
              {
                kind: 'error',
                error: {
                  code: 'unknown_command',
                  message: `unknown noun “${line.split(' ')[0]}”, did you mean positions?`,
                  retryable: false,
                },
                caret: 0,
              },
            ],
          },
    'console.complete': ({ line }) =>
      line.startsWith('position c')
        ? {
            start: 9,
            end: line.length,
            ghost: 'close'.slice(line.length - 9),
            items: [
              { insert: 'close', label: 'close', detail: 'close one position (asks first)' },
              { insert: 'close-all', label: 'close-all', detail: 'close every position (type to confirm)' },
            ],
          }
        : { items: [], start: line.length, end: line.length },
  };

  const transport = new MockTransport({
    answers: answers as MockTransport['source']['answers'],
    binary: (_command, args) => window(args as Parameters<typeof window>[0]),
    snapshot: (topic, params) => {
      const id = (params as { instrument?: string }).instrument ?? '';
      const table: { [T in Topic]?: () => unknown } = {
        quotes: () => INSTRUMENTS.map((i) => quoteAt(i, now())),
        trades: () => trades(id, 40),
        depth: () => depth(id),
        orders: () => orders,
        fills: () => fills,
        positions,
        accounts,
        decisions: () => decisions,
        approvals: () => [],
        jobs: () => [
          {
            id: 'job-7',
            kind: 'fetch',
            title: 'Fetch AAPL.ALPACA 1m',
            state: 'running',
            progress: 0.42,
            message: '4,812 of 11,412 candles',
            started_at: iso(start - 20),
          },
        ],
        health,
        logs: () => logs,
        stats,
      };
      return table[topic]?.() as never;
    },
  });

  setInterval(() => {
    const second = Math.floor(now() * 10);
    const some = INSTRUMENTS.filter((_, i) => (i + second) % 5 === 0);
    transport.push(
      'quotes',
      some.map((i) => quoteAt(i, now())),
    );
  }, 200);
  setInterval(() => {
    for (const params of transport.subscribers('chart')) {
      const step = secondsOf(params.timeframe);
      const open = Math.floor(now() / step) * step;
      const closes = new Float64Array(120);
      for (let i = 0; i < 119; i++) closes[i] = priceAt(params.instrument, open - (118 - i) * step);
      closes[119] = priceAt(params.instrument, now());
      const plots = study(params.set ?? '', closes).columns.map((c) => c[119] ?? null);
      const forming = { ...bar(params.instrument, step, open, now()), plots };
      transport.push('chart', { forming }, (p) => JSON.stringify(p) === JSON.stringify(params));
    }
    for (const { instrument: id } of transport.subscribers('depth'))
      transport.push('depth', depth(id), (p) => p.instrument === id);
    for (const { instrument: id } of transport.subscribers('trades'))
      transport.push('trades', trades(id, 1), (p) => p.instrument === id);
    transport.push('positions', positions());
  }, 250);
  setInterval(() => {
    transport.push('stats', stats());
    transport.push('health', health());
    transport.push('accounts', accounts());
  }, 1000);
  return transport;
}
