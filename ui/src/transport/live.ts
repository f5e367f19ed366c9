import { useCallback, useSyncExternalStore } from 'react';
import { nextFrame } from '@/lib/frame';
import { useTransport } from './hooks';
import type { Transport, TransportError } from './Transport';
import type { Batch, Params, Quote, Topic, TopicMap } from './types';

type Data<T extends Topic> = TopicMap[T][1];

export interface Live<T> {
  /** `undefined` until the first snapshot. */
  data: T | undefined;
  /** `performance.now()` of the last batch. */
  at: number;
  error: TransportError | undefined;
}

type Merge<T extends Topic> = (old: Data<T> | undefined, batch: Batch<T>) => Data<T>;

const replace = <T>(_old: T | undefined, batch: { data: T }): T => batch.data;

/** Newest first, by id; a changed row keeps its place. */
export function upsert<R extends { id: string | number }>(limit: number) {
  return (old: R[] | undefined, batch: { kind: 'snapshot' | 'delta'; data: R[] }): R[] => {
    if (batch.kind === 'snapshot' || !old) return batch.data;
    const changed = new Map(batch.data.map((row) => [row.id, row]));
    const kept = old.map((row) => {
      const next = changed.get(row.id);
      if (next) changed.delete(row.id);
      return next ?? row;
    });
    return changed.size === 0 ? kept : [...[...changed.values()].reverse(), ...kept].slice(0, limit);
  };
}

function append<R>(limit: number) {
  return (old: R[] | undefined, batch: { kind: 'snapshot' | 'delta'; data: R[] }): R[] =>
    batch.kind === 'snapshot' || !old ? batch.data.slice(-limit) : [...old, ...batch.data].slice(-limit);
}

const MERGE: { [T in Topic]: Merge<T> } = {
  quotes: replace,
  chart: replace,
  enriched: replace,
  trades: append(500),
  depth: replace,
  orders: upsert(5_000),
  fills: upsert(5_000),
  positions: replace,
  accounts: upsert(100),
  decisions: upsert(2_000),
  approvals: upsert(200),
  jobs: upsert(500),
  health: replace,
  logs: append(2_000),
  stats: replace,
};

class Store<T extends Topic> {
  live: Live<Data<T>> = { data: undefined, at: 0, error: undefined };
  readonly #listeners = new Set<() => void>();
  #stop: (() => void) | null = null;
  readonly #notify = () => {
    for (const listener of [...this.#listeners]) listener();
  };

  constructor(
    private readonly transport: Transport,
    private readonly topic: T,
    private readonly params: Params<T>,
  ) {}

  listen(on: () => void): () => void {
    this.#listeners.add(on);
    this.#stop ??= this.transport.subscribe(
      this.topic,
      this.params,
      (batch) => {
        this.live = { data: MERGE[this.topic](this.live.data, batch), at: performance.now(), error: undefined };
        nextFrame(this.#notify);
      },
      (error) => {
        this.live = { ...this.live, error };
        nextFrame(this.#notify);
      },
    );
    return () => {
      this.#listeners.delete(on);
      // A panel that moves unmounts and mounts again at once; keep the subscription over that.
      setTimeout(() => {
        if (this.#listeners.size > 0 || !this.#stop) return;
        this.#stop();
        this.#stop = null;
      }, 250);
    };
  }
}

const stores = new WeakMap<Transport, Map<string, Store<Topic>>>();

function storeOf<T extends Topic>(transport: Transport, topic: T, params: Params<T>): Store<T> {
  let all = stores.get(transport);
  if (!all) {
    all = new Map();
    stores.set(transport, all);
  }
  const key = `${topic} ${JSON.stringify(params)}`;
  let store = all.get(key);
  if (!store) {
    store = new Store<Topic>(transport, topic, params as Params<Topic>);
    all.set(key, store);
  }
  return store as unknown as Store<T>;
}

const NEVER = { data: undefined, at: 0, error: undefined };

/** The merged state of a low-rate topic (orders, positions, health …), shared by every component that asks. */
export function useLive<T extends Topic>(topic: T, params: Params<T> | null): Live<Data<T>> {
  const transport = useTransport();
  const key = params === null ? null : JSON.stringify(params);
  const subscribe = useCallback(
    (on: () => void) => (key === null ? () => {} : storeOf(transport, topic, JSON.parse(key)).listen(on)),
    [transport, topic, key],
  );
  return useSyncExternalStore(subscribe, () =>
    key === null ? NEVER : storeOf(transport, topic, JSON.parse(key) as Params<T>).live,
  );
}

/**
 * Best bid and ask of every instrument, outside React: cells paint themselves, once per frame, so a tick costs a text
 * node and not a render.
 */
export class QuoteBook {
  readonly #quotes = new Map<string, Quote>();
  readonly #listeners = new Map<string, Set<(quote: Quote) => void>>();
  readonly #dirty = new Set<string>();
  #at: number | null = null;
  #stop: (() => void) | null = null;
  readonly #paint = () => {
    for (const id of this.#dirty) {
      const quote = this.#quotes.get(id);
      if (quote) for (const listener of this.#listeners.get(id) ?? []) listener(quote);
    }
    this.#dirty.clear();
  };

  constructor(private readonly transport: Transport) {}

  /** `performance.now()` of the last batch, `null` before the first. */
  get at(): number | null {
    return this.#at;
  }
  get(instrument: string): Quote | undefined {
    return this.#quotes.get(instrument);
  }
  /** Paints at once when a quote is known, then at most once per frame. */
  watch(instrument: string, paint: (quote: Quote) => void): () => void {
    this.#stop ??= this.transport.subscribe('quotes', {}, (batch) => {
      this.#at = performance.now();
      for (const quote of batch.data) {
        this.#quotes.set(quote.instrument, quote);
        if (this.#listeners.has(quote.instrument)) this.#dirty.add(quote.instrument);
      }
      nextFrame(this.#paint);
    });
    let set = this.#listeners.get(instrument);
    if (!set) {
      set = new Set();
      this.#listeners.set(instrument, set);
    }
    set.add(paint);
    const known = this.#quotes.get(instrument);
    if (known) paint(known);
    const listeners = set;
    return () => {
      listeners.delete(paint);
      if (listeners.size === 0 && this.#listeners.get(instrument) === listeners) this.#listeners.delete(instrument);
    };
  }
}

const books = new WeakMap<Transport, QuoteBook>();
export function quoteBook(transport: Transport): QuoteBook {
  let book = books.get(transport);
  if (!book) {
    book = new QuoteBook(transport);
    books.set(transport, book);
  }
  return book;
}
export function useQuoteBook(): QuoteBook {
  return quoteBook(useTransport());
}

/** A quote as React state, once per frame at most: for a ticket or a card, not for a list. */
export function useQuote(instrument: string | null): Quote | undefined {
  const book = useQuoteBook();
  const subscribe = useCallback(
    (on: () => void) => (instrument ? book.watch(instrument, () => on()) : () => {}),
    [book, instrument],
  );
  return useSyncExternalStore(subscribe, () => (instrument ? book.get(instrument) : undefined));
}
