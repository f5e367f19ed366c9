import { describe, expect, it, vi } from 'vitest';
import { encodeFrame } from './frame';
import { HttpTransport } from './HttpTransport';
import { MockTransport } from './MockTransport';
import { TauriTransport } from './TauriTransport';
import type { Transport } from './Transport';
import { TransportError } from './Transport';

/** What every transport must do, whatever it is made of. Each harness plays the engine's side. */
interface Harness {
  transport: Transport;
  /** Sends the next batch of a topic to whoever listens. */
  push(topic: string, kind: 'snapshot' | 'delta', data: unknown): void;
}

const instruments = [{ id: 'BTC-PERP.SIM' }];
const refusal = {
  code: 'denied',
  message: 'over the limit',
  retryable: false,
  trace_id: 't1',
  reasons: ['max notional'],
};
const frame = encodeFrame(
  {
    instrument: 'A',
    timeframe: '1m',
    rows: 1,
    columns: ['time'],
    price_decimals: 1,
    provider: 'SIM',
    has_more_before: false,
    forming: true,
    catching_up: false,
  },
  [Float64Array.of(60)],
);
const answer = (command: string): unknown => {
  if (command === 'symbols.list') return { instruments };
  throw refusal;
};

function mock(): Harness {
  const transport = new MockTransport({
    answers: {
      'symbols.list': () => ({ instruments: instruments as never }),
      'orders.place': () => {
        throw new TransportError(refusal);
      },
    },
    binary: () => frame,
  });
  return { transport, push: (topic, kind, data) => transport.send(topic as never, kind, data as never) };
}

async function http(): Promise<Harness> {
  const server = fakeServer();
  const transport = new HttpTransport({
    base: 'http://engine',
    storage: memory({ 'candlewick.token': 'T' }),
    ...server.options,
  });
  await transport.start(null);
  await settled();
  return { transport, push: server.push };
}

function tauri(): Harness {
  let speak: (messages: unknown[]) => void = () => {};
  const topics = new Map<number, { topic: string; seq: number }>();
  class Channel {
    set onmessage(on: (messages: unknown[]) => void) {
      speak = on;
    }
  }
  const invoke = async (command: string, args: { name?: string; id?: number; topic?: string } = {}) => {
    if (command === 'call') return answer(args.name ?? '');
    if (command === 'call_binary') return frame;
    if (command === 'subscribe') topics.set(args.id ?? 0, { topic: args.topic ?? '', seq: 0 });
    if (command === 'unsubscribe') topics.delete(args.id ?? 0);
    return null;
  };
  return {
    transport: new TauriTransport({ Channel, invoke } as never),
    push: (topic, kind, data) => {
      for (const [id, entry] of topics)
        if (entry.topic === topic) {
          entry.seq += 1;
          speak([{ id, topic, kind, data, seq: entry.seq }]);
        }
    },
  };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

describe.each([
  ['mock', async () => mock()],
  ['http', http],
  ['tauri', async () => tauri()],
])('%s transport', (_name, make) => {
  it('answers a call', async () => {
    const { transport } = await make();
    expect(await transport.call('symbols.list', {})).toEqual({ instruments });
  });

  it('rejects with the engine’s error, whole', async () => {
    const { transport } = await make();
    const error = await transport
      .call('orders.place', { instrument: 'A', side: 'buy', qty: '1' })
      .catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(TransportError);
    expect(error).toMatchObject({
      code: 'denied',
      message: 'over the limit',
      retryable: false,
      traceId: 't1',
      reasons: ['max notional'],
    });
  });

  it('brings bytes as they are', async () => {
    const { transport } = await make();
    const bytes = await transport.callBinary('chart.window', { instrument: 'A', timeframe: '1m', limit: 1 });
    expect(new Uint8Array(bytes)).toEqual(new Uint8Array(frame));
  });

  it('stops waiting when the caller gives up', async () => {
    const { transport } = await make();
    const error = await transport
      .call('symbols.list', {}, { signal: AbortSignal.abort() })
      .catch((cause: unknown) => TransportError.from(cause));
    expect(error).toMatchObject({ code: 'canceled' });
  });

  it('delivers batches in order and none after the end', async () => {
    const { transport, push } = await make();
    const seen: string[] = [];
    const stop = transport.subscribe('orders', {}, ({ kind, data }) => seen.push(`${kind} ${data.length}`));
    await settled();
    push('orders', 'snapshot', [1, 2]);
    push('orders', 'delta', [3]);
    stop();
    push('orders', 'delta', [4]);
    expect(seen).toEqual(['snapshot 2', 'delta 1']);
  });
});

describe('http transport', () => {
  it('subscribes again after the line was lost, with the same parameters', async () => {
    vi.useFakeTimers();
    try {
      const server = fakeServer();
      const transport = new HttpTransport({
        base: 'http://engine',
        storage: memory({ 'candlewick.token': 'T' }),
        ...server.options,
      });
      await transport.start(null);
      await vi.advanceTimersByTimeAsync(1);
      const states: string[] = [];
      transport.status.subscribe((state) => states.push(state));
      const seen: unknown[] = [];
      transport.subscribe('depth', { instrument: 'A' }, ({ data }) => seen.push(data));
      server.drop();
      await vi.advanceTimersByTimeAsync(300);
      expect(states).toEqual(['retrying', 'open']);
      expect(server.sent.filter((m) => m.op === 'subscribe').map((m) => m.params)).toEqual([
        { instrument: 'A' },
        { instrument: 'A' },
      ]);
      server.push('depth', 'snapshot', 'again');
      expect(seen).toEqual(['again']);
    } finally {
      vi.useRealTimers();
    }
  });

  it('asks for a snapshot when a number is missing, and ignores what belongs to the broken stream', async () => {
    const server = fakeServer();
    const transport = new HttpTransport({
      base: 'http://engine',
      storage: memory({ 'candlewick.token': 'T' }),
      ...server.options,
    });
    await transport.start(null);
    await settled();
    const seen: unknown[] = [];
    transport.subscribe('orders', {}, ({ seq, kind }) => seen.push(`${kind} ${seq}`));
    const raw = (id: number, seq: number, kind: string) => server.say({ id, topic: 'orders', seq, kind, data: [] });
    raw(1, 1, 'snapshot');
    raw(1, 3, 'delta'); // 2 is missing
    raw(1, 4, 'delta'); // still on its way for the old subscription
    expect(server.sent.slice(-2)).toMatchObject([
      { op: 'unsubscribe', id: 1 },
      { op: 'subscribe', id: 2 },
    ]);
    raw(2, 1, 'snapshot');
    raw(2, 2, 'delta');
    expect(seen).toEqual(['snapshot 1', 'snapshot 1', 'delta 2']);
  });

  it('forgets a token the server refuses, and does not knock for ever', async () => {
    const server = fakeServer();
    const storage = memory({ 'candlewick.token': 'old' });
    const transport = new HttpTransport({ base: 'http://engine', storage, ...server.options });
    await transport.start(null);
    await settled();
    server.drop(1008);
    expect(transport.status.value).toBe('closed');
    expect(storage.getItem('candlewick.token')).toBeNull();
  });

  it('asks again for a topic that ended', async () => {
    vi.useFakeTimers();
    try {
      const server = fakeServer();
      const transport = new HttpTransport({
        base: 'http://engine',
        storage: memory({ 'candlewick.token': 'T' }),
        ...server.options,
      });
      await transport.start(null);
      await vi.advanceTimersByTimeAsync(1);
      const errors: string[] = [];
      transport.subscribe(
        'orders',
        {},
        () => {},
        (error) => errors.push(error.code),
      );
      server.say({
        id: 1,
        error: { code: 'unavailable', message: 'this topic ended', retryable: true, trace_id: 't' },
      });
      await vi.advanceTimersByTimeAsync(1_100);
      expect(errors).toEqual(['unavailable']);
      expect(server.sent.filter((m) => m.op === 'subscribe').map((m) => m.id)).toEqual([1, 2]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('trades the pairing code for a token and keeps it for the next load', async () => {
    const server = fakeServer();
    const storage = memory({});
    await new HttpTransport({ base: 'http://engine', storage, ...server.options }).start('CODE');
    expect(storage.getItem('candlewick.token')).toBe('token-of-CODE');
  });

  it('says that it is not paired instead of asking without a token', async () => {
    const server = fakeServer();
    const transport = new HttpTransport({ base: 'http://engine', storage: memory({}), ...server.options });
    await expect(transport.start(null)).rejects.toMatchObject({ code: 'unpaired' });
    expect(transport.status.value).toBe('closed');
  });

  it('calls an engine that does not answer offline', async () => {
    const server = fakeServer();
    const transport = new HttpTransport({
      base: 'http://engine',
      storage: memory({ 'candlewick.token': 'T' }),
      ...server.options,
      fetch: () => Promise.reject(new TypeError('Failed to fetch')),
    });
    await expect(transport.call('symbols.list', {})).rejects.toMatchObject({ code: 'offline', retryable: true });
  });
});

function memory(initial: Record<string, string>) {
  const map = new Map(Object.entries(initial));
  return {
    getItem: (key: string) => map.get(key) ?? null,
    setItem: (key: string, value: string) => void map.set(key, value),
    removeItem: (key: string) => void map.delete(key),
  };
}

/** REST and one WebSocket, in memory. */
function fakeServer() {
  interface Message {
    op: string;
    id: number;
    topic: string;
    params: unknown;
  }
  const sent: Message[] = [];
  const live = new Map<number, { topic: string; seq: number }>();
  let current: FakeSocket | null = null;
  class FakeSocket {
    readyState = 0;
    onopen: (() => void) | null = null;
    onmessage: ((event: { data: string }) => void) | null = null;
    onclose: ((event: { code: number }) => void) | null = null;
    constructor(readonly url: string) {
      current = this;
      queueMicrotask(() => {
        this.readyState = 1;
        this.onopen?.();
      });
    }
    send(text: string) {
      const message = JSON.parse(text) as Message;
      sent.push(message);
      if (message.op === 'subscribe') live.set(message.id, { topic: message.topic, seq: 0 });
      if (message.op === 'unsubscribe') live.delete(message.id);
    }
    close(code = 1006) {
      this.readyState = 3;
      this.onclose?.({ code });
    }
  }
  const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });
  const fetch = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    init?.signal?.throwIfAborted();
    const path = String(url).replace('http://engine/api/v1/', '');
    const body = JSON.parse(String(init?.body)) as { code?: string };
    if (path === 'session/pair') return json({ token: `token-of-${body.code}` });
    if (new Headers(init?.headers).get('authorization') !== 'Bearer T')
      return json({ code: 'unauthorized', message: 'no', retryable: false }, 401);
    if (path === 'chart/window') return new Response(frame);
    try {
      return json(answer(path.replace('/', '.')));
    } catch (error) {
      return json(error, 422);
    }
  };
  const say = (message: unknown) => current?.onmessage?.({ data: JSON.stringify(message) });
  return {
    sent,
    say,
    drop: (code?: number) => {
      live.clear();
      current?.close(code);
    },
    push: (topic: string, kind: 'snapshot' | 'delta', data: unknown) => {
      for (const [id, entry] of live)
        if (entry.topic === topic) {
          entry.seq += 1;
          say({ id, topic, kind, data, seq: entry.seq });
        }
    },
    options: { fetch: fetch as typeof globalThis.fetch, webSocket: FakeSocket as unknown as typeof WebSocket },
  };
}
