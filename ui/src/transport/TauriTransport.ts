import {
  type CallOptions,
  Cell,
  type LinkStatus,
  type Milestone,
  Sequence,
  type Transport,
  TransportError,
} from './Transport';
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

type Core = Pick<typeof import('@tauri-apps/api/core'), 'invoke' | 'Channel'>;
type StreamMessage =
  | { id: number; topic: Topic; seq: number; kind: 'snapshot' | 'delta'; data: never }
  | { id: number; error: ApiErrorBody };

interface Subscription {
  topic: Topic;
  params: unknown;
  on: (batch: Batch) => void;
  onError?: ((error: TransportError) => void) | undefined;
  sequence: Sequence;
}

const DEFAULT_TIMEOUT_MS = 15_000;

/**
 * The desktop shell: calls by IPC, every topic through one channel that brings what a screen frame collected.
 * The engine lives in the same process, so the link is open.
 */
export class TauriTransport implements Transport {
  readonly host = 'tauri' as const;
  readonly capabilities = ['os-windows', 'tray', 'keychain'] as const;
  readonly status = new Cell<LinkStatus>('open');
  readonly #core: Core;
  readonly #stream: Promise<unknown>;
  readonly #subscriptions = new Map<number, Subscription>();
  readonly #passed = new Set<Milestone>();
  #nextId = 1;

  constructor(core: Core) {
    this.#core = core;
    const channel = new core.Channel<StreamMessage[]>();
    channel.onmessage = (messages) => {
      for (const message of messages) this.#receive(message);
    };
    this.#stream = core.invoke('open_stream', { channel });
  }

  static async connect(): Promise<TauriTransport> {
    return new TauriTransport(await import('@tauri-apps/api/core'));
  }

  call<C extends CommandName>(command: C, args: Args<C>, options?: CallOptions): Promise<Result<C>> {
    return this.#invoke('call', { name: command, body: args }, options) as Promise<Result<C>>;
  }

  callBinary<C extends BinaryCommandName>(
    command: C,
    args: BinaryCommandMap[C],
    options?: CallOptions,
  ): Promise<ArrayBuffer> {
    return this.#invoke('call_binary', { name: command, body: args }, options) as Promise<ArrayBuffer>;
  }

  /** IPC cannot be canceled on its way; the caller stops waiting. */
  async #invoke(name: string, args: Record<string, unknown>, options?: CallOptions): Promise<unknown> {
    const deadline = AbortSignal.timeout(options?.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const signal = options?.signal ? AbortSignal.any([options.signal, deadline]) : deadline;
    const stopped = new Promise<never>((_, reject) => {
      if (signal.aborted) reject(signal.reason);
      else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    try {
      return await Promise.race([stopped, this.#core.invoke(name, args)]);
    } catch (cause) {
      throw TransportError.from(cause);
    }
  }

  subscribe<T extends Topic>(
    topic: T,
    params: Params<T>,
    on: (batch: Batch<T>) => void,
    onError?: (error: TransportError) => void,
  ): () => void {
    const id = this.#nextId++;
    this.#subscriptions.set(id, {
      topic,
      params,
      on: on as (batch: Batch) => void,
      onError,
      sequence: new Sequence(),
    });
    this.#begin(id);
    return () => {
      if (this.#subscriptions.delete(id)) this.#core.invoke('unsubscribe', { id }).catch(() => {});
    };
  }

  #begin(id: number): void {
    const subscription = this.#subscriptions.get(id);
    if (!subscription) return;
    subscription.sequence.reset();
    const { topic, params } = subscription;
    this.#stream
      .then(() => this.#subscriptions.has(id) && this.#core.invoke('subscribe', { id, topic, params }))
      .catch((cause) => this.#subscriptions.get(id)?.onError?.(TransportError.from(cause)));
  }

  #receive(message: StreamMessage): void {
    const subscription = this.#subscriptions.get(message.id);
    if (!subscription) return;
    if ('error' in message) subscription.onError?.(new TransportError(message.error));
    else if (subscription.sequence.accept(message))
      subscription.on({ seq: message.seq, kind: message.kind, data: message.data });
    // The same id again: the shell ends the old subscription and a snapshot follows.
    else this.#begin(message.id);
  }

  mark(milestone: Milestone): void {
    if (this.#passed.has(milestone)) return;
    this.#passed.add(milestone);
    // A measurement that does not arrive is missed by whoever measures, not by the user.
    this.#core.invoke('mark', { event: milestone }).catch(() => {});
  }

  close(): void {
    this.status.set('closed');
    for (const id of [...this.#subscriptions.keys()]) this.#core.invoke('unsubscribe', { id }).catch(() => {});
    this.#subscriptions.clear();
  }
}

export const insideTauri = (): boolean => '__TAURI_INTERNALS__' in window;
