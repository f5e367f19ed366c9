import { type CallOptions, Cell, type LinkStatus, type Transport, TransportError } from './Transport';
import type {
  Args,
  Batch,
  BinaryCommandMap,
  BinaryCommandName,
  CommandName,
  Params,
  Result,
  Topic,
  TopicMap,
} from './types';

export type Answers = { [C in CommandName]?: (args: Args<C>) => Result<C> | Promise<Result<C>> };
export interface MockSource {
  answers: Answers;
  binary?: (command: BinaryCommandName, args: BinaryCommandMap[BinaryCommandName]) => ArrayBuffer;
  /** What a new subscriber gets first. */
  snapshot?: <T extends Topic>(topic: T, params: Params<T>) => TopicMap[T][1] | undefined;
}

/** The transport of unit tests: answers from a table, batches pushed by hand. Never part of the production bundle. */
export class MockTransport implements Transport {
  readonly host = 'mock' as const;
  readonly capabilities = [] as const;
  readonly status = new Cell<LinkStatus>('open');
  readonly calls: { command: string; args: unknown }[] = [];
  readonly #subscriptions = new Set<{
    topic: Topic;
    params: unknown;
    on: (batch: Batch) => void;
    onError: ((error: TransportError) => void) | undefined;
    seq: number;
  }>();

  constructor(readonly source: MockSource) {}

  async call<C extends CommandName>(command: C, args: Args<C>, options?: CallOptions): Promise<Result<C>> {
    this.calls.push({ command, args });
    options?.signal?.throwIfAborted();
    if (this.status.value !== 'open')
      throw new TransportError({ code: 'offline', message: 'The engine cannot be reached', retryable: true });
    const answer = this.source.answers[command] as ((args: Args<C>) => Result<C>) | undefined;
    if (!answer)
      throw new TransportError({ code: 'unknown_command', message: `no such command: ${command}`, retryable: false });
    return answer(args);
  }

  async callBinary<C extends BinaryCommandName>(command: C, args: BinaryCommandMap[C]): Promise<ArrayBuffer> {
    this.calls.push({ command, args });
    if (!this.source.binary)
      throw new TransportError({ code: 'unknown_command', message: `no such command: ${command}`, retryable: false });
    return this.source.binary(command, args);
  }

  subscribe<T extends Topic>(
    topic: T,
    params: Params<T>,
    on: (batch: Batch<T>) => void,
    onError?: (error: TransportError) => void,
  ): () => void {
    const entry = { topic, params, on: on as (batch: Batch) => void, onError, seq: 0 };
    this.#subscriptions.add(entry);
    const data = this.source.snapshot?.(topic, params);
    if (data !== undefined)
      queueMicrotask(() => this.#subscriptions.has(entry) && this.#deliver(entry, 'snapshot', data));
    return () => this.#subscriptions.delete(entry);
  }

  #deliver(entry: { on: (batch: Batch) => void; seq: number }, kind: 'snapshot' | 'delta', data: unknown): void {
    entry.seq += 1;
    entry.on({ seq: entry.seq, kind, data } as Batch);
  }

  /** Sends a delta to everyone who listens to `topic` (and, when given, asked with matching parameters). */
  push<T extends Topic>(topic: T, data: TopicMap[T][1], match?: (params: Params<T>) => boolean): void {
    if (this.status.value !== 'open') return;
    for (const entry of [...this.#subscriptions])
      if (entry.topic === topic && (!match || match(entry.params as Params<T>))) this.#deliver(entry, 'delta', data);
  }

  /** Sends a batch of either kind to everyone who listens to `topic`. */
  send<T extends Topic>(topic: T, kind: 'snapshot' | 'delta', data: TopicMap[T][1]): void {
    for (const entry of [...this.#subscriptions]) if (entry.topic === topic) this.#deliver(entry, kind, data);
  }

  /** The engine refuses every subscription. */
  fail(error: TransportError): void {
    for (const entry of [...this.#subscriptions]) entry.onError?.(error);
  }

  subscribers<T extends Topic>(topic: T): Params<T>[] {
    return [...this.#subscriptions].filter((s) => s.topic === topic).map((s) => s.params as Params<T>);
  }

  mark(): void {
    // Nobody measures the fixtures.
  }

  close(): void {
    this.status.set('closed');
  }
}
