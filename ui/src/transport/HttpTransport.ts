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
  Result,
  Topic,
} from './types';

const TOKEN_KEY = 'candlewick.token';
const DEFAULT_TIMEOUT_MS = 15_000;
const RETRY_MS = [250, 500, 1_000, 2_000, 4_000, 8_000] as const;
/** The server answers a ping; silence longer than this means the line is dead although the socket looks open. */
const PING_EVERY_MS = 5_000;
const SILENCE_LIMIT_MS = 15_000;
/** A topic that the engine ended or could not begin is asked for again after this. */
const RETRY_TOPIC_MS = 1_000;
/** The server's close code for a token it does not know. */
const POLICY = 1008;

interface Subscription {
  id: number;
  topic: Topic;
  params: unknown;
  on: (batch: Batch) => void;
  onError: ((error: TransportError) => void) | undefined;
  sequence: Sequence;
}

type ServerMessage =
  | { op: 'pong' | 'ready' }
  | { id: number; topic: Topic; seq: number; kind: 'snapshot' | 'delta'; data: never }
  | { id?: number; error: ApiErrorBody };

export interface HttpOptions {
  /** Origin of the engine, e.g. `http://127.0.0.1:7717`; the page's own by default. */
  base?: string;
  storage?: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  fetch?: typeof fetch;
  webSocket?: typeof WebSocket;
}

/** A browser talking to `candlewick run`: REST for questions, one WebSocket for every topic. */
export class HttpTransport implements Transport {
  readonly host = 'http' as const;
  readonly capabilities = [] as const;
  readonly status = new Cell<LinkStatus>('connecting');

  readonly #base: string;
  readonly #storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  readonly #fetch: typeof fetch;
  readonly #webSocket: typeof WebSocket;
  readonly #subscriptions = new Map<number, Subscription>();
  #nextId = 1;
  #socket: WebSocket | null = null;
  #attempt = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #pingTimer: ReturnType<typeof setInterval> | undefined;
  #heardAt = 0;
  /** Something came over the present socket, so its token was good. */
  #heard = false;
  #closed = false;

  constructor(options: HttpOptions = {}) {
    this.#base = options.base ?? window.location.origin;
    this.#storage = options.storage ?? window.sessionStorage;
    this.#fetch = options.fetch ?? window.fetch.bind(window);
    this.#webSocket = options.webSocket ?? WebSocket;
  }

  get token(): string | null {
    return this.#storage.getItem(TOKEN_KEY);
  }

  /** Trades the one-time code for a token, then opens the stream. */
  async start(code: string | null): Promise<void> {
    if (code) {
      const response = await this.#fetch(`${this.#base}/api/v1/session/pair`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code }),
      });
      const body = (await response.json()) as { token?: string } & Partial<ApiErrorBody>;
      if (response.ok && body.token) this.#storage.setItem(TOKEN_KEY, body.token);
      else if (!this.token) {
        this.status.set('closed');
        throw new TransportError({
          code: 'unpaired',
          message: body.message ?? 'The pairing code was not accepted',
          retryable: false,
        });
      }
    }
    if (!this.token) {
      this.status.set('closed');
      throw new TransportError({ code: 'unpaired', message: 'This browser is not paired', retryable: false });
    }
    this.#open();
  }

  async call<C extends CommandName>(command: C, args: Args<C>, options?: CallOptions): Promise<Result<C>> {
    const response = await this.#post(command, args, options);
    return (await response.json()) as Result<C>;
  }

  async callBinary<C extends BinaryCommandName>(
    command: C,
    args: BinaryCommandMap[C],
    options?: CallOptions,
  ): Promise<ArrayBuffer> {
    const response = await this.#post(command, args, options);
    return response.arrayBuffer();
  }

  async #post(command: string, args: unknown, options?: CallOptions): Promise<Response> {
    const deadline = AbortSignal.timeout(options?.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const signal = options?.signal ? AbortSignal.any([options.signal, deadline]) : deadline;
    let response: Response;
    try {
      response = await this.#fetch(`${this.#base}/api/v1/${command.replace('.', '/')}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${this.token ?? ''}` },
        body: JSON.stringify(args),
        signal,
      });
    } catch {
      if (signal.aborted) throw TransportError.from(signal.reason);
      throw new TransportError({ code: 'offline', message: 'The engine cannot be reached', retryable: true });
    }
    if (response.ok) return response;
    const body = (await response.json().catch(() => null)) as (ApiErrorBody & { error?: ApiErrorBody }) | null;
    throw new TransportError(
      body?.error ??
        (body?.code
          ? body
          : { code: 'internal', message: `HTTP ${response.status}`, retryable: response.status >= 500 }),
    );
  }

  subscribe<T extends Topic>(
    topic: T,
    params: unknown,
    on: (batch: Batch<T>) => void,
    onError?: (error: TransportError) => void,
  ): () => void {
    const id = this.#nextId++;
    const subscription: Subscription = {
      id,
      topic,
      params,
      on: on as (batch: Batch) => void,
      onError,
      sequence: new Sequence(),
    };
    this.#subscriptions.set(id, subscription);
    if (this.status.value === 'open') this.#send({ op: 'subscribe', id, topic, params });
    return () => {
      if (this.#subscriptions.delete(subscription.id) && this.status.value === 'open')
        this.#send({ op: 'unsubscribe', id: subscription.id });
    };
  }

  /** For the browser's own tools: `performance.getEntriesByName('first_chart')`. */
  mark(milestone: Milestone): void {
    if (performance.getEntriesByName(milestone).length === 0) performance.mark(milestone);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    clearInterval(this.#pingTimer);
    this.#socket?.close();
    this.status.set('closed');
  }

  #open(): void {
    const socket = new this.#webSocket(`${this.#base.replace(/^http/, 'ws')}/api/v1/stream`);
    this.#socket = socket;
    socket.onopen = () => {
      this.#attempt = 0;
      this.#heardAt = performance.now();
      this.#heard = false;
      socket.send(JSON.stringify({ op: 'auth', token: this.token }));
      this.status.set('open');
      for (const [id, { topic, params, sequence }] of this.#subscriptions) {
        sequence.reset();
        this.#send({ op: 'subscribe', id, topic, params });
      }
      this.#pingTimer = setInterval(() => this.#watch(), PING_EVERY_MS);
    };
    socket.onmessage = (event) => {
      this.#heard = true;
      this.#heardAt = performance.now();
      this.#receive(JSON.parse(String(event.data)) as ServerMessage);
    };
    socket.onclose = (event) => this.#lost(socket, event.code);
  }

  #watch(): void {
    if (performance.now() - this.#heardAt > SILENCE_LIMIT_MS) this.#socket?.close();
    else this.#send({ op: 'ping' });
  }

  #lost(socket: WebSocket, code: number): void {
    if (socket !== this.#socket) return;
    clearInterval(this.#pingTimer);
    this.#socket = null;
    if (this.#closed) return;
    if (code === POLICY && !this.#heard) {
      this.#storage.removeItem(TOKEN_KEY);
      this.status.set('closed');
      return;
    }
    this.status.set('retrying');
    const wait = RETRY_MS[Math.min(this.#attempt, RETRY_MS.length - 1)] ?? 8_000;
    this.#attempt += 1;
    this.#retryTimer = setTimeout(() => this.#open(), wait);
  }

  #receive(message: ServerMessage): void {
    if ('op' in message) return;
    const subscription = message.id === undefined ? undefined : this.#subscriptions.get(message.id);
    if (!subscription) return;
    if ('error' in message) {
      const error = new TransportError(message.error);
      subscription.onError?.(error);
      if (error.retryable) setTimeout(() => this.#again(subscription), RETRY_TOPIC_MS);
      return;
    }
    if (!subscription.sequence.accept(message)) {
      this.#again(subscription);
      return;
    }
    subscription.on({ seq: message.seq, kind: message.kind, data: message.data });
  }

  /** Under a new id, so that what is still on its way for the old one is not taken for what follows the snapshot. */
  #again(subscription: Subscription): void {
    if (this.#subscriptions.get(subscription.id) !== subscription) return;
    this.#subscriptions.delete(subscription.id);
    this.#send({ op: 'unsubscribe', id: subscription.id });
    subscription.id = this.#nextId++;
    subscription.sequence.reset();
    this.#subscriptions.set(subscription.id, subscription);
    this.#send({ op: 'subscribe', id: subscription.id, topic: subscription.topic, params: subscription.params });
  }

  #send(message: unknown): void {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(message));
  }
}
