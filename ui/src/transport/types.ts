/**
 * What the screen asks for and hears. Written to the same text as the engine's registry; when `bindings/` is generated
 * these names are re-exported from there.
 */

export type Side = 'buy' | 'sell';
export type OrderType = 'market' | 'limit' | 'stop' | 'stop_limit' | 'trailing_stop';
export type TimeInForce = 'gtc' | 'day' | 'ioc' | 'fok' | 'gtd';
/** Decimal text, e.g. `"68412.5"`. */
export type Dec = string;
/** RFC 3339 text. */
export type Time = string;

export interface Instrument {
  id: string;
  symbol: string;
  venue: string;
  name: string;
  asset_class: 'crypto' | 'equity' | 'fx' | 'metal' | 'other';
  base: string;
  quote_currency: string;
  tick_size: Dec;
  quantity_step: Dec;
  min_quantity: Dec;
  price_decimals: number;
  quantity_decimals: number;
  initial_margin: Dec;
  taker_fee: Dec;
  maker_fee: Dec;
}

export interface Quote {
  instrument: string;
  bid: Dec;
  ask: Dec;
  bid_qty: Dec;
  ask_qty: Dec;
  last: Dec;
  /** Ratio. */
  change_24h: Dec;
  high_24h: Dec;
  low_24h: Dec;
  volume_24h: Dec;
  event_time: Time;
  stale: boolean;
  spark: number[];
  simulated: boolean;
}

export interface CandleRow {
  open_time: Time;
  open: Dec;
  high: Dec;
  low: Dec;
  close: Dec;
  volume: Dec;
}

export interface IndicatorInfo {
  name: string;
  title: string;
  group: string;
  params: { name: string; default: number; min: number; max: number }[];
  outputs: { name: string; title: string }[];
  overlay: boolean;
  doc: string;
}

export interface Order {
  id: string;
  client_order_id: string;
  venue_order_id?: string | null;
  account: string;
  instrument: string;
  side: Side;
  order_type: OrderType;
  qty: Dec;
  filled_qty: Dec;
  price?: Dec | null;
  stop?: Dec | null;
  average_price?: Dec | null;
  status: string;
  tif: string;
  reduce_only: boolean;
  take_profit?: Dec | null;
  stop_loss?: Dec | null;
  parent?: string | null;
  source: string;
  reason?: string | null;
  pending_cancel: boolean;
  created_at: Time;
  updated_at: Time;
  fees: Dec;
}

export interface Fill {
  id: string;
  order_id: string;
  account: string;
  instrument: string;
  side: Side;
  qty: Dec;
  price: Dec;
  fee: Dec;
  liquidity: string;
  event_time: Time;
  realized_pnl: Dec;
  source: string;
}

export interface Position {
  account: string;
  instrument: string;
  side: 'long' | 'short' | 'flat';
  qty: Dec;
  entry_price: Dec;
  mark: Dec;
  notional: Dec;
  unrealized_pnl: Dec;
  unrealized_ratio: Dec;
  realized_pnl: Dec;
  fees: Dec;
  stop_loss?: Dec | null;
  take_profit?: Dec | null;
  source: string;
  opened_at: Time;
}
export interface Positions {
  positions: Position[];
  totals: { currency: string; unrealized_pnl: Dec; realized_pnl: Dec }[];
}

export interface Account {
  id: string;
  venue: string;
  mode: 'paper' | 'live';
  simulated: boolean;
  currency: string;
  balance: Dec;
  equity: Dec;
  buying_power: Dec;
  margin_used: Dec;
  margin_ratio: Dec;
  day_pnl: Dec;
  day_pnl_ratio: Dec;
  as_of: Time;
  halted: boolean;
}

export type Verdict = 'buy' | 'sell' | 'hold' | 'skip' | 'block' | 'error';
export interface Decision {
  id: string;
  time: Time;
  instrument: string;
  strategy: string;
  verdict: Verdict;
  qty?: Dec | null;
  price?: Dec | null;
  reason: string;
  confidence?: number | null;
  order_id?: string | null;
}

export interface Approval {
  id: string;
  actor: string;
  created_at: Time;
  expires_at: Time;
  request: unknown;
  sentence: string;
  preview: OrderPreview | null;
  state: string;
}

export interface Job {
  id: string;
  kind: string;
  title: string;
  state: 'queued' | 'running' | 'done' | 'failed' | 'canceled';
  progress: number;
  message: string;
  started_at: Time;
  finished_at?: Time | null;
  error?: unknown;
}

export interface HealthComponent {
  name: string;
  status: 'ok' | 'degraded' | 'down' | 'off';
  detail: string;
  since: Time;
  parent?: string | null;
}
export interface Health {
  status: 'ok' | 'degraded' | 'down';
  version: string;
  uptime_s: number;
  components: HealthComponent[];
}

export interface Connection {
  venue: string;
  channel: string;
  state: string;
  uptime_s?: number | null;
  last_message_age_ms?: number | null;
  subscriptions?: number | null;
  messages_per_s?: number | null;
  latency_ms?: number | null;
  budget?: string | null;
  detail?: string | null;
}

export interface LogLine {
  time: Time;
  level: string;
  component: string;
  text: string;
  count?: number;
}

export interface Stats {
  messages_per_s: number;
  event_to_screen_p99_ms: number | null;
  cpu: number | null;
  memory_mb: number | null;
  queue_depth: number;
  automation: { running: number; paused: number };
  [extra: string]: unknown;
}

export interface OrderArgs {
  account: string;
  instrument: string;
  side: Side;
  order_type: OrderType;
  qty: Dec;
  price?: Dec;
  stop?: Dec;
  trail?: Dec;
  tif?: TimeInForce;
  take_profit?: Dec;
  stop_loss?: Dec;
  reduce_only?: boolean;
  post_only?: boolean;
  client_order_id?: string;
}
export interface RiskCheck {
  check: string;
  pass: boolean;
  reason: string;
}
export interface OrderPreview {
  notional: Dec;
  margin: Dec;
  fee: Dec;
  currency?: string;
  loss_at_stop?: Dec | null;
  gain_at_target?: Dec | null;
  risk_reward?: Dec | null;
  loss_at_stop_equity_ratio?: Dec | null;
  checks: RiskCheck[];
  sentence: string;
  account: string;
  mode: string;
  venue: string;
}

export interface StrategyInfo {
  name: string;
  title: string;
  description: string;
  params: { name: string; default: string; title?: string; min?: string | null; max?: string | null }[];
  source: string;
}
export interface RunningStrategy {
  id: string;
  strategy: string;
  instrument: string;
  timeframe: string;
  account: string;
  params: Record<string, string>;
  state: 'warming' | 'running' | 'paused' | 'stopped';
  signal_count: number;
  order_count: number;
  since: Time;
}

export interface BacktestArgs {
  strategy: string;
  params?: Record<string, string>;
  instrument: string;
  timeframe: string;
  from?: Time;
  to?: Time;
  cash?: Dec;
  fee_bps?: Dec;
  slippage_bps?: Dec;
  fill?: string;
}
export interface BacktestResult {
  trades: {
    side: string;
    qty: Dec;
    entry_time: Time;
    entry_price: Dec;
    exit_time: Time;
    exit_price: Dec;
    pnl: Dec;
    fees: Dec;
    exit_reason: string;
  }[];
  equity: { time: Time; equity: Dec; drawdown: Dec }[];
  metrics: Record<string, string | null>;
  assumptions: Record<string, string>;
  fingerprint: string;
}

export interface RiskState {
  halted: boolean;
  halt_reason?: string | null;
  limits: { account: string; name: string; limit: Dec; used: Dec | null; unit: string }[];
  recent_denials: unknown[];
}

export interface ExplainStep {
  seq: number;
  time: Time;
  kind: string;
  title: string;
  detail: Record<string, unknown>;
  caused_by?: number | null;
}

export type ConsoleBlock =
  | { kind: 'table'; columns: string[]; rows: (string | number | boolean | null)[][] }
  | { kind: 'text'; text: string }
  | { kind: 'json'; value: unknown }
  | { kind: 'error'; error: ApiErrorBody; caret?: number | null };

export interface Completion {
  items: { insert: string; label: string; detail: string }[];
  start: number;
  end: number;
  ghost?: string | null;
}

export interface ApiErrorBody {
  code: string;
  message: string;
  field?: string | null;
  retryable: boolean;
  trace_id?: string | null;
  reasons?: string[];
}

export interface Layout {
  name: string;
  layout: unknown;
  schema_version: number;
  revision: number;
}

/** One line per command: what goes in, what comes out. */
export interface CommandMap {
  'symbols.list': [{ venue?: string; query?: string }, { instruments: Instrument[] }];
  'quotes.list': [{ instruments?: string[] }, { quotes: Quote[] }];
  'candles.get': [
    { instrument: string; timeframe: string; from?: Time; to?: Time; limit?: number },
    { instrument: string; timeframe: string; candles: CandleRow[]; provider: string },
  ];
  'indicators.list': [Record<string, never>, { indicators: IndicatorInfo[] }];
  'expressions.check': [
    { text: string; kind: 'bool' | 'number' },
    {
      ok: boolean;
      error?: { message: string; start: number; end: number; hint?: string | null } | null;
      type?: string | null;
    },
  ];
  'expressions.complete': [{ text: string; cursor: number }, Completion];
  'strategies.list': [Record<string, never>, { strategies: StrategyInfo[] }];
  'strategies.running': [Record<string, never>, { strategies: RunningStrategy[] }];
  'strategies.start': [
    { strategy: string; params: Record<string, string>; instrument: string; timeframe: string; account: string },
    { id: string },
  ];
  'strategies.stop': [{ id: string; flatten?: boolean }, unknown];
  'backtest.run': [BacktestArgs, BacktestResult];
  'backtest.start': [BacktestArgs, { job_id: string }];
  'backtest.result': [{ job_id: string }, BacktestResult];
  'jobs.list': [Record<string, never>, { jobs: Job[] }];
  'jobs.cancel': [{ job_id: string }, unknown];
  'orders.preview': [OrderArgs, OrderPreview];
  'orders.place': [
    OrderArgs,
    { order_id: string; client_order_id: string; status: string; approval_id?: string | null },
  ];
  'orders.cancel': [{ order_id?: string; client_order_id?: string }, unknown];
  'orders.list': [{ account?: string; instrument?: string; open_only?: boolean; limit?: number }, { orders: Order[] }];
  'positions.list': [{ account?: string }, Positions];
  'positions.close': [{ account: string; instrument: string; qty?: Dec }, unknown];
  'fills.list': [{ account?: string; instrument?: string; limit?: number }, { fills: Fill[] }];
  'accounts.list': [Record<string, never>, { accounts: Account[] }];
  'risk.show': [Record<string, never>, RiskState];
  'risk.set': [{ account: string; limit: string; value: Dec }, unknown];
  'risk.halt': [{ reason?: string }, unknown];
  'risk.resume': [{ reason: string; scope?: string }, unknown];
  'approvals.list': [Record<string, never>, { approvals: Approval[] }];
  'approvals.accept': [{ id: string }, unknown];
  'approvals.deny': [{ id: string; reason?: string }, unknown];
  'decisions.list': [{ limit?: number }, { decisions: Decision[] }];
  'journal.explain': [{ id: string }, { steps: ExplainStep[] }];
  'health.get': [Record<string, never>, Health];
  'metrics.get': [Record<string, never>, Record<string, unknown>];
  'connections.list': [Record<string, never>, { connections: Connection[] }];
  'logs.list': [{ level?: string; text?: string; limit?: number }, { logs: LogLine[] }];
  'audit.list': [{ limit?: number }, { entries: Record<string, unknown>[] }];
  'commands.list': [
    Record<string, never>,
    { commands: { name: string; title: string; description: string; access: string; risk: string }[] },
  ];
  'workspaces.get': [{ name?: string }, Layout];
  'workspaces.save': [{ name: string; layout: unknown }, unknown];
  'settings.get': [{ key: string }, { value: unknown }];
  'settings.set': [{ key: string; value: unknown }, unknown];
  'console.run': [{ line: string }, { blocks: ConsoleBlock[] }];
  'console.complete': [{ line: string; cursor: number }, Completion];
}
export type CommandName = keyof CommandMap;
export type Args<C extends CommandName> = CommandMap[C][0];
export type Result<C extends CommandName> = CommandMap[C][1];

/** Commands that answer with bytes instead of JSON. */
export interface BinaryCommandMap {
  'chart.window': { instrument: string; timeframe: string; before?: Time; limit: number; set: string };
}
export type BinaryCommandName = keyof BinaryCommandMap;

export interface ChartBar {
  time: number;
  o: number;
  h: number;
  l: number;
  c: number;
  v: number;
  plots: (number | null)[];
}
export interface ChartDelta {
  forming: ChartBar | null;
  closed?: ChartBar[] | null;
}
export interface TradePrint {
  time: Time;
  price: Dec;
  qty: Dec;
  side: Side;
}
export interface Depth {
  bids: [Dec, Dec, Dec][];
  asks: [Dec, Dec, Dec][];
  spread: Dec;
  spread_bp: Dec;
}

/** One line per topic: its parameters and what one batch carries. */
export interface TopicMap {
  quotes: [{ instruments?: string[] }, Quote[]];
  chart: [{ instrument: string; timeframe: string; set: string }, ChartDelta];
  trades: [{ instrument: string }, TradePrint[]];
  depth: [{ instrument: string }, Depth];
  orders: [Record<string, never>, Order[]];
  fills: [Record<string, never>, Fill[]];
  positions: [Record<string, never>, Positions];
  accounts: [Record<string, never>, Account[]];
  decisions: [Record<string, never>, Decision[]];
  approvals: [Record<string, never>, Approval[]];
  jobs: [Record<string, never>, Job[]];
  health: [Record<string, never>, Health];
  logs: [Record<string, never>, LogLine[]];
  stats: [Record<string, never>, Stats];
}
export type Topic = keyof TopicMap;
export type Params<T extends Topic> = TopicMap[T][0];
export interface Batch<T extends Topic = Topic> {
  seq: number;
  kind: 'snapshot' | 'delta';
  data: TopicMap[T][1];
}
