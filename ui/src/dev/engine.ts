import { encodeFrame } from '@/transport/frame';
import { MockTransport } from '@/transport/MockTransport';
import { TransportError } from '@/transport/Transport';
import type {
  Account,
  ChartBar,
  CommandMap,
  Decision,
  Depth,
  Fill,
  Health,
  Layout,
  LogLine,
  Order,
  OrderArgs,
  OrderPreview,
  Position,
  Positions,
  RunningStrategy,
  Stats,
  Topic,
  TradePrint,
} from '@/transport/types';
import { barAt, hash, INSTRUMENTS, priceAt, quoteAt, secondsOf, seedOf } from './market';
import { sourceAnswers } from './sources';
import { study } from './studies';

/** `npm run dev:mock`: a screen with something on it, without an engine. Development only. */
export function developmentTransport(): MockTransport {
  const now = () => Date.now() / 1000;
  const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
  const start = now();
  let halted = false;
  let counter = 10;
  const instrument = (id: string) => {
    const found = INSTRUMENTS.find((i) => i.id === id);
    if (!found) throw new TransportError({ code: 'not_found', message: `no instrument ${id}`, retryable: false });
    return found;
  };
  const at = (id: string, seconds = now()) => priceAt(id, seconds).toFixed(instrument(id).price_decimals);

  const bar = (id: string, step: number, time: number, until?: number): ChartBar => {
    const b = barAt(id, time, step, until);
    return { time, o: b.open, h: b.high, l: b.low, c: b.close, v: b.volume, plots: [] };
  };
  function window(args: { instrument: string; timeframe: string; before?: string; limit: number; set: string }) {
    const step = secondsOf(args.timeframe);
    const forming = !args.before;
    const last = args.before
      ? Math.floor((Date.parse(args.before) / 1000 - 1) / step) * step
      : Math.floor(now() / step) * step;
    const warm = 300;
    const count = args.limit + warm;
    const columns = Array.from({ length: 6 }, () => new Float64Array(count));
    for (let i = 0; i < count; i++) {
      const time = last - (count - 1 - i) * step;
      const b = barAt(args.instrument, time, step, forming && i === count - 1 ? now() : undefined);
      [b.time, b.open, b.high, b.low, b.close, b.volume].forEach((value, c) => {
        const column = columns[c];
        if (column) column[i] = value;
      });
    }
    const plots = study(args.set, columns[4] ?? new Float64Array());
    const all = [...columns, ...plots.columns].map((column) => column.slice(warm));
    return encodeFrame(
      {
        instrument: args.instrument,
        timeframe: args.timeframe,
        rows: args.limit,
        columns: ['time', 'open', 'high', 'low', 'close', 'volume', ...plots.names],
        price_decimals: instrument(args.instrument).price_decimals,
        provider: 'SIM',
        has_more_before: true,
        forming,
      },
      all,
    );
  }

  const position = (id: string, side: 'long' | 'short', qty: string, back: number, source: string): Position => ({
    account: 'paper',
    instrument: id,
    side,
    qty,
    entry_price: at(id, start - back),
    mark: at(id),
    notional: '0',
    unrealized_pnl: '0',
    unrealized_ratio: '0',
    realized_pnl: '0',
    fees: '1.20',
    stop_loss: (Number(at(id, start - back)) * (side === 'long' ? 0.985 : 1.015)).toFixed(
      instrument(id).price_decimals,
    ),
    take_profit: (Number(at(id, start - back)) * (side === 'long' ? 1.025 : 0.975)).toFixed(
      instrument(id).price_decimals,
    ),
    source,
    opened_at: iso(start - back),
  });
  const open: Position[] = [
    position('BTC-PERP.SIM', 'long', '0.400', 23000, 'ema-cross'),
    position('ETH-PERP.SIM', 'short', '3.200', 5000, 'manual'),
    position('NVDA.SIM', 'long', '60', 90000, 'breakout'),
    position('EUR/USD.SIM', 'short', '50000', 40000, 'manual'),
  ];
  const positions = (): Positions => {
    let total = 0;
    for (const p of open) {
      const mark = Number(at(p.instrument));
      const pnl = (mark - Number(p.entry_price)) * Number(p.qty) * (p.side === 'long' ? 1 : -1);
      total += pnl;
      p.mark = at(p.instrument);
      p.unrealized_pnl = pnl.toFixed(2);
      p.notional = (mark * Number(p.qty)).toFixed(2);
      p.unrealized_ratio = (pnl / (Number(p.entry_price) * Number(p.qty))).toFixed(6);
    }
    return {
      positions: open.map((p) => ({ ...p })),
      totals: [{ currency: 'USD', unrealized_pnl: total.toFixed(2), realized_pnl: '170.12' }],
    };
  };
  const order = (args: OrderArgs, status: Order['status']): Order => ({
    id: ++counter,
    client_order_id: args.client_order_id ?? `C-${counter}`,
    venue_order_id: `SIM-${counter}`,
    account: args.account ?? 'paper',
    instrument: args.instrument,
    side: args.side,
    order_type: args.order_type ?? 'market',
    qty: args.qty,
    filled_qty: '0',
    price: args.price,
    stop: args.stop,
    status,
    tif: args.tif ?? 'gtc',
    reduce_only: args.reduce_only ?? false,
    take_profit: args.take_profit,
    stop_loss: args.stop_loss,
    source: 'manual',
    pending_cancel: false,
    created_at: iso(now()),
    updated_at: iso(now()),
    fees: '0',
  });
  const orders: Order[] = [
    order(
      {
        account: 'paper',
        instrument: 'BTC-PERP.SIM',
        side: 'buy',
        order_type: 'limit',
        qty: '0.200',
        price: (Number(at('BTC-PERP.SIM')) * 0.985).toFixed(1),
      },
      'accepted',
    ),
    order(
      { account: 'paper', instrument: 'SOL-PERP.SIM', side: 'sell', order_type: 'stop', qty: '40.0', stop: '165.20' },
      'accepted',
    ),
    {
      ...order(
        { account: 'paper', instrument: 'AAPL.SIM', side: 'buy', order_type: 'limit', qty: '20', price: '221.00' },
        'rejected',
      ),
      reason: 'market closed',
    },
  ];
  const fill = (id: string, side: 'buy' | 'sell', qty: string, back: number): Fill => ({
    id: `F-${++counter}`,
    order_id: counter,
    account: 'paper',
    instrument: id,
    side,
    qty,
    price: at(id, start - back),
    fee: '2.71',
    liquidity: 'taker',
    event_time: iso(start - back),
    realized_pnl: side === 'sell' ? '66.20' : '0',
    source: 'ema-cross',
  });
  const fills: Fill[] = [
    fill('BTC-PERP.SIM', 'buy', '0.400', 23000),
    fill('BTC-PERP.SIM', 'sell', '0.250', 61000),
    fill('BTC-PERP.SIM', 'buy', '0.250', 92000),
    fill('ETH-PERP.SIM', 'sell', '3.200', 5000),
    fill('NVDA.SIM', 'buy', '60', 90000),
  ];
  const decision = (
    id: string,
    verdict: Decision['verdict'],
    qty: string,
    back: number,
    reason: string,
    confidence: number,
  ): Decision => ({
    id: `D-${++counter}`,
    time: iso(start - back),
    instrument: id,
    strategy: 'ema-cross',
    verdict,
    qty,
    price: at(id, start - back),
    reason,
    confidence,
  });
  const decisions: Decision[] = [
    decision('SOL-PERP.SIM', 'block', '40', 3200, 'Risk rule “correlated exposure 60%” would reach 72%.', 0.71),
    decision('BTC-PERP.SIM', 'skip', '0.20', 11000, 'Confidence under the 0.60 threshold; already long.', 0.54),
    decision(
      'BTC-PERP.SIM',
      'buy',
      '0.40',
      23000,
      'ema(10) crossed above ema(20) and rsi(14) = 58 is below 70. Sized to 1% risk.',
      0.78,
    ),
    decision('BTC-PERP.SIM', 'sell', '0.25', 61000, 'ema(10) crossed below ema(20).', 0.66),
  ];
  const accounts = (): Account[] => [
    {
      id: 'paper',
      venue: 'SIM',
      mode: 'paper',
      simulated: true,
      currency: 'USD',
      balance: '28894.33',
      equity: '29306.41',
      buying_power: '20221.42',
      margin_used: '9084.99',
      margin_ratio: '0.31',
      day_pnl: '412.08',
      day_pnl_ratio: '0.0143',
      as_of: iso(now()),
      halted,
    },
  ];
  const depth = (id: string): Depth => {
    const i = instrument(id);
    const tick = Number(i.tick_size) * (i.asset_class === 'crypto' ? 10 : 1);
    const middle = Math.round(priceAt(id, now()) / tick) * tick;
    const second = Math.floor(now() * 2);
    const side = (sign: number) => {
      let total = 0;
      return Array.from({ length: 20 }, (_, n): [string, string, string] => {
        const size = hash(seedOf(id) + n * sign + 17, Math.floor(second / (n + 1))) * 4.2 + 0.1;
        total += size;
        return [
          (middle + sign * tick * (n + (sign > 0 ? 0 : 1))).toFixed(i.price_decimals),
          size.toFixed(3),
          total.toFixed(3),
        ];
      });
    };
    return {
      asks: side(1),
      bids: side(-1),
      spread: tick.toFixed(i.price_decimals),
      spread_bp: (tick / middle) * 1e4,
    };
  };
  const trades = (id: string, count: number): TradePrint[] =>
    Array.from({ length: count }, (_, n) => {
      const time = now() - (count - n) * 0.7;
      return {
        time: iso(time),
        price: at(id, time),
        qty: (hash(seedOf(id) + 5, Math.floor(time * 10)) ** 3 * 3 + 0.001).toFixed(3),
        side: hash(seedOf(id), Math.floor(time * 10)) > 0.5 ? 'buy' : 'sell',
      };
    });
  const health = (): Health => ({
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
  const stats = (): Stats => ({
    messages_per_s: 290 + Math.round(40 * Math.sin(now() / 60) + 30 * hash(1, Math.floor(now()))),
    event_to_screen_p99_ms: 9,
    cpu: 0.04,
    memory_mb: 212,
    queue_depth: 7,
    automation: { running: 2, paused: 1 },
  });
  const log = (back: number, level: LogLine['level'], component: string, message: string): LogLine => ({
    time: iso(start - back),
    level,
    component,
    message,
    fields: {},
  });
  const logs = [
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

  const preview = (args: OrderArgs): OrderPreview => {
    const i = instrument(args.instrument);
    const level = Number(args.price ?? args.stop ?? at(args.instrument));
    const qty = Number(args.qty);
    const notional = level * qty;
    const sideSign = args.side === 'buy' ? 1 : -1;
    const loss = args.stop_loss ? (Number(args.stop_loss) - level) * qty * sideSign : null;
    const gain = args.take_profit ? (Number(args.take_profit) - level) * qty * sideSign : null;
    const checks = [
      'max order notional',
      'max position',
      'price band',
      'daily loss',
      'open orders',
      'order rate',
      'buying power',
    ].map((check) => ({ check, pass: true, reason: 'within the limit' }));
    if (notional > 100000)
      checks[0] = { check: 'max order notional', pass: false, reason: `${notional.toFixed(0)} is over 100,000` };
    if (halted) checks.push({ check: 'halt', pass: false, reason: 'trading is halted' });
    return {
      notional: notional.toFixed(2),
      margin: (notional * Number(i.initial_margin)).toFixed(2),
      fee: (notional * 0.0001).toFixed(2),
      currency: String(i.quote_currency),
      loss_at_stop: loss === null ? undefined : loss.toFixed(2),
      gain_at_target: gain === null ? undefined : gain.toFixed(2),
      risk_reward: loss && gain ? Math.abs(gain / loss).toFixed(1) : undefined,
      loss_at_stop_equity_ratio: loss === null ? undefined : Math.abs(loss / 29306).toFixed(4),
      checks,
      sentence: `${args.side === 'buy' ? 'Buy' : 'Sell'} ${args.qty} ${i.symbol} ${args.order_type}${args.price ? ` at ${args.price}` : ''} on paper account paper at SIM`,
      account: args.account ?? 'paper',
      mode: 'paper',
      venue: 'SIM',
    };
  };

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
      const id = `S-${++counter}`;
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
        id: `J-${++counter}`,
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
      if (halted)
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
      halted,
      limits: [
        { account: 'paper', name: 'max_order_notional', limit: '100000', used: '27340', unit: 'USD' },
        { account: 'paper', name: 'daily_loss', limit: '1500', used: '0', unit: 'USD' },
        { account: 'paper', name: 'max_open_orders', limit: '50', used: '2', unit: 'orders' },
      ],
      recent_denials: [],
    }),
    'risk.set': () => ({}),
    'risk.halt': () => {
      halted = true;
      transport.push('accounts', accounts());
      return {};
    },
    'risk.resume': () => {
      halted = false;
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
  function backtest(id: string): CommandMap['backtest.run'][1] {
    let equity = 30000;
    let peak = equity;
    const curve = Array.from({ length: 400 }, (_, i) => {
      equity *= 1 + (hash(9, i) - 0.48) * 0.01;
      peak = Math.max(peak, equity);
      return {
        time: iso(start - (400 - i) * 86400),
        equity: equity.toFixed(2),
        drawdown: (1 - equity / peak).toFixed(6),
      };
    });
    return {
      trades: Array.from({ length: 40 }, (_, i) => ({
        side: 'buy',
        qty: '0.100',
        entry_time: iso(start - (41 - i) * 864000),
        entry_price: at(id, start - (41 - i) * 864000),
        exit_time: iso(start - (40 - i) * 864000),
        exit_price: at(id, start - (40 - i) * 864000),
        pnl: ((hash(4, i) - 0.45) * 300).toFixed(2),
        fees: '3.10',
        exit_reason: 'signal',
      })),
      equity: curve,
      metrics: {
        net_profit: (equity - 30000).toFixed(2),
        max_drawdown: '0.083',
        sharpe_ratio: '1.21',
        trades: '40',
        win_rate: '0.55',
        profit_factor: '1.42',
      },
      assumptions: { fee_bps: '5', slippage_bps: '1', fill: 'next_open' },
      fingerprint: 'b9f0a1c2d3e4f5a6',
    };
  }

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
