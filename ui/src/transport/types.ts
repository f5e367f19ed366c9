/** The contract, as generated from the engine's registry, and the little that only screens use. */
import type { CommandMap as Generated, TopicMap as GeneratedTopics, TopicName } from '@/bindings';

export type {
  Account,
  Approval,
  AuditRow,
  BacktestRequest as BacktestArgs,
  BacktestResult,
  ChartPoint as ChartBar,
  ChartUpdate as ChartDelta,
  Component as HealthComponent,
  Connection,
  Decision,
  Depth,
  ExplainStep,
  Fill,
  Health,
  Histogram,
  IndicatorInfo,
  Instrument,
  Job,
  LogLine,
  Metrics,
  Order,
  OrderPreview,
  OrderStatus,
  OrderTicket as OrderArgs,
  OrderType,
  Position,
  PositionList as Positions,
  Quote,
  RiskCheck,
  RiskView,
  RunningStrategy,
  Side,
  Stats,
  StrategyInfo,
  TimeInForce,
  Trade as TradePrint,
  Verdict,
  Workspace as Layout,
} from '@/bindings';

/** An error on its way: the engine's own, or one made by a transport (`offline`, `canceled`, `unpaired`). */
export interface ApiErrorBody {
  code: string;
  message: string;
  field?: string | null;
  retryable: boolean;
  trace_id?: string | null;
  reasons?: string[];
}

export type ConsoleBlock =
  | { kind: 'table'; columns: string[]; rows: (string | number | boolean | null)[][] }
  | { kind: 'text'; text: string }
  | { kind: 'json'; value: unknown }
  | { kind: 'error'; error: ApiErrorBody; caret?: { start: number; end: number } | null };

/** Offsets are bytes of UTF-8, as the engine counts. */
export interface Completion {
  items: { insert: string; label: string; detail: string }[];
  start: number;
  end: number;
  ghost?: string | null;
}

/** The console's two questions, with the errors a screen can meet on the way. */
interface ConsoleMap {
  'console.run': [{ line: string }, { blocks: ConsoleBlock[] }];
  'console.complete': [{ line: string; cursor: number }, Completion];
}

type BinaryName = { [C in keyof Generated]: Generated[C][1] extends ArrayBuffer ? C : never }[keyof Generated];
/** Commands that answer with bytes instead of JSON. */
export type BinaryCommandMap = { [C in BinaryName]: Generated[C][0] };
export type BinaryCommandName = BinaryName;

export type CommandMap = Omit<Generated, BinaryName | keyof ConsoleMap> & ConsoleMap;
export type CommandName = keyof CommandMap;
export type Args<C extends CommandName> = CommandMap[C][0];
export type Result<C extends CommandName> = CommandMap[C][1];

export type TopicMap = GeneratedTopics;
export type Topic = TopicName;
export type Params<T extends Topic> = TopicMap[T][0];
export interface Batch<T extends Topic = Topic> {
  seq: number;
  kind: 'snapshot' | 'delta';
  data: TopicMap[T][1];
}
