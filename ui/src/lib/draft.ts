import { create } from 'zustand';
import type { OrderType, Side, TimeInForce } from '@/transport/types';

export type Sizing = 'units' | 'p5' | 'p10' | 'p25' | 'p50' | 'risk1';

/** The order on the ticket before it is sent. Text as typed; the engine has the last word. */
export interface Draft {
  side: Side;
  type: OrderType;
  price: string;
  stop: string;
  trail: string;
  qty: string;
  sizing: Sizing;
  bracket: boolean;
  takeProfit: string;
  stopLoss: string;
  tif: TimeInForce;
  postOnly: boolean;
  reduceOnly: boolean;
}

const EMPTY: Draft = {
  side: 'buy',
  type: 'limit',
  price: '',
  stop: '',
  trail: '',
  qty: '',
  sizing: 'units',
  bracket: false,
  takeProfit: '',
  stopLoss: '',
  tif: 'gtc',
  postOnly: false,
  reduceOnly: false,
};

interface DraftStore extends Draft {
  instrument: string | null;
  /** Which draft this is: what was complained about in the last one does not concern the next. */
  number: number;
  change(change: Partial<Draft>): void;
  /** Starts a new draft; levels of another instrument would be nonsense. */
  begin(instrument: string, change?: Partial<Draft>): void;
}

export const useDraft = create<DraftStore>((set) => ({
  ...EMPTY,
  instrument: null,
  number: 0,
  change: (change) => set(change),
  begin: (instrument, change) =>
    set((s) => ({ ...EMPTY, side: s.side, type: s.type, tif: s.tif, ...change, instrument, number: s.number + 1 })),
}));
