import { type CallOptions, Cell, type LinkStatus, Sequence, type Transport, TransportError } from './Transport';
import type {
  ApiErrorBody,
  Args,
  Batch,
  BinaryCommandMap,
  BinaryCommandName,
  CommandName,
  Result,
  Topic,
} from './types';

type Core = typeof import('@tauri-apps/api/core');
type StreamMessage =
  | { id: number; topic: Topic; seq: number; kind: 'snapshot' | 'delta'; data: never }
  | { id: number; error: ApiErrorBody };

const DEFAULT_TIMEOUT_MS = 15_000;

/** The desktop shell: calls by IPC, topics through channels. The engine lives in the same process, so the link is open. */
export class TauriTransport implements Transport {
  readonly host = 'tauri' as const;
  readonly capabilities = ['os-windows', 'tray', 'keychain'] as const;
  readonly status = new Cell<LinkStatus>('open');
  readonly #core: Core;
  #nextId = 1;

  private constructor(core: Core) {
    this.#core = core;
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
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    try {
      return await Promise.race([this.#core.invoke(name, args), stopped]);
    } catch (cause) {
      throw TransportError.from(cause);
    }
  }

  subscribe<T extends Topic>(
    topic: T,
    params: unknown,
    on: (batch: Batch<T>) => void,
    onError?: (error: TransportError) => void,
  ): () => void {
    let current = 0;
    let live = true;
    const sequence = new Sequence();
    const stop = (id: number) => {
      this.#core.invoke('unsubscribe', { id }).catch((cause) => onError?.(TransportError.from(cause)));
    };
    const start = () => {
      const id = this.#nextId++;
      current = id;
      sequence.reset();
      const channel = new this.#core.Channel<StreamMessage>();
      channel.onmessage = (message) => {
        if (!live || id !== current) return;
        if ('error' in message) {
          onError?.(new TransportError(message.error));
          return;
        }
        if (!sequence.accept(message)) {
          stop(id);
          start();
          return;
        }
        on({ seq: message.seq, kind: message.kind, data: message.data });
      };
      this.#core
        .invoke('subscribe', { id, topic, params, channel })
        .catch((cause) => live && onError?.(TransportError.from(cause)));
    };
    start();
    return () => {
      live = false;
      stop(current);
    };
  }

  close(): void {
    this.status.set('closed');
  }
}

export const insideTauri = (): boolean => '__TAURI_INTERNALS__' in window;
