import type {
  ApiErrorBody,
  Args,
  Batch,
  BinaryCommandMap,
  BinaryCommandName,
  CommandName,
  Params,
  Result,
  Topic,
} from './types';

export type LinkStatus = 'connecting' | 'open' | 'retrying' | 'closed';
export type Host = 'tauri' | 'http' | 'mock';
/** What the host can do beyond the engine; the screen hides what is missing. */
export type Capability = 'os-windows' | 'tray' | 'keychain';
/** Moments of start-up that the host measures. */
export type Milestone = 'first_chart';
export type Unsubscribe = () => void;

export interface CallOptions {
  signal?: AbortSignal;
  timeoutMs?: number;
}

export interface Observable<T> {
  readonly value: T;
  subscribe(on: (value: T) => void): Unsubscribe;
}

/** The only door to the engine. */
export interface Transport {
  call<C extends CommandName>(command: C, args: Args<C>, options?: CallOptions): Promise<Result<C>>;
  callBinary<C extends BinaryCommandName>(
    command: C,
    args: BinaryCommandMap[C],
    options?: CallOptions,
  ): Promise<ArrayBuffer>;
  /** Batches in order. A gap in the sequence makes the transport subscribe again, so a snapshot follows. */
  subscribe<T extends Topic>(
    topic: T,
    params: Params<T>,
    on: (batch: Batch<T>) => void,
    onError?: (error: TransportError) => void,
  ): Unsubscribe;
  /** Tells the host that a moment of start-up has come; only the first time counts. */
  mark(milestone: Milestone): void;
  readonly status: Observable<LinkStatus>;
  readonly host: Host;
  readonly capabilities: readonly Capability[];
  close(): void;
}

/** Every failure a caller can meet: the engine's own, or the way to it (`offline`, `timeout`, `canceled`, `unpaired`). */
export class TransportError extends Error {
  readonly code: string;
  readonly field: string | undefined;
  readonly retryable: boolean;
  readonly traceId: string | undefined;
  readonly reasons: readonly string[];

  constructor(body: ApiErrorBody) {
    super(body.message);
    this.name = 'TransportError';
    this.code = body.code;
    this.field = body.field ?? undefined;
    this.retryable = body.retryable;
    this.traceId = body.trace_id ?? undefined;
    this.reasons = body.reasons ?? [];
  }

  static from(cause: unknown): TransportError {
    if (cause instanceof TransportError) return cause;
    if (isErrorBody(cause)) return new TransportError(cause);
    if (nameOf(cause) === 'AbortError')
      return new TransportError({ code: 'canceled', message: 'Canceled', retryable: true });
    if (nameOf(cause) === 'TimeoutError')
      return new TransportError({ code: 'timeout', message: 'The engine did not answer in time', retryable: true });
    const message = cause instanceof Error ? cause.message : String(cause);
    return new TransportError({ code: 'internal', message, retryable: false });
  }
}

/** By name and not by class: the signal may come from another realm. */
const nameOf = (cause: unknown): unknown =>
  typeof cause === 'object' && cause !== null && 'name' in cause ? cause.name : undefined;

export function isErrorBody(value: unknown): value is ApiErrorBody {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as ApiErrorBody).code === 'string' &&
    typeof (value as ApiErrorBody).message === 'string'
  );
}

/** A value with listeners; the transports' status. */
export class Cell<T> implements Observable<T> {
  #value: T;
  readonly #listeners = new Set<(value: T) => void>();
  constructor(value: T) {
    this.#value = value;
  }
  get value(): T {
    return this.#value;
  }
  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener(value);
  }
  subscribe(on: (value: T) => void): Unsubscribe {
    this.#listeners.add(on);
    return () => this.#listeners.delete(on);
  }
}

/** Watches the sequence numbers of one subscription. A snapshot may start anywhere; deltas must follow one by one. */
export class Sequence {
  #last: number | null = null;
  /** `false` when a batch is missing before this one. */
  accept(batch: { seq: number; kind: 'snapshot' | 'delta' }): boolean {
    if (batch.kind === 'snapshot' || this.#last === null) {
      this.#last = batch.seq;
      return true;
    }
    if (batch.seq !== this.#last + 1) return false;
    this.#last = batch.seq;
    return true;
  }
  reset(): void {
    this.#last = null;
  }
}
