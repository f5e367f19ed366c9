import type { Instrument, Quote } from '@/transport/types';

/** A seeded market for `npm run dev:mock`: price is a pure function of instrument and time, so any candle is O(1). */

const rows: [string, string, Instrument['asset_class'], string, string, number, string, number, number][] = [
  // symbol, name, class, base, quote, price, tick, price decimals, quantity decimals
  ['BTC-PERP', 'Bitcoin perpetual', 'crypto', 'BTC', 'USDT', 68412.5, '0.1', 1, 3],
  ['ETH-PERP', 'Ether perpetual', 'crypto', 'ETH', 'USDT', 3584.2, '0.01', 2, 3],
  ['SOL-PERP', 'Solana perpetual', 'crypto', 'SOL', 'USDT', 171.38, '0.01', 2, 1],
  ['BNB-PERP', 'BNB perpetual', 'crypto', 'BNB', 'USDT', 612.4, '0.01', 2, 2],
  ['DOGE-PERP', 'Dogecoin perpetual', 'crypto', 'DOGE', 'USDT', 0.16214, '0.00001', 5, 0],
  ['LINK-PERP', 'Chainlink perpetual', 'crypto', 'LINK', 'USDT', 14.862, '0.001', 3, 1],
  ['AVAX-PERP', 'Avalanche perpetual', 'crypto', 'AVAX', 'USDT', 27.314, '0.001', 3, 1],
  ['XRP-PERP', 'XRP perpetual', 'crypto', 'XRP', 'USDT', 0.58412, '0.00001', 5, 0],
  ['AAPL', 'Apple', 'equity', 'AAPL', 'USD', 228.14, '0.01', 2, 0],
  ['NVDA', 'NVIDIA', 'equity', 'NVDA', 'USD', 141.92, '0.01', 2, 0],
  ['TSLA', 'Tesla', 'equity', 'TSLA', 'USD', 338.05, '0.01', 2, 0],
  ['SPY', 'S&P 500 ETF', 'equity', 'SPY', 'USD', 612.77, '0.01', 2, 0],
  ['AMD', 'AMD', 'equity', 'AMD', 'USD', 163.4, '0.01', 2, 0],
  ['MSFT', 'Microsoft', 'equity', 'MSFT', 'USD', 471.2, '0.01', 2, 0],
  ['AMZN', 'Amazon', 'equity', 'AMZN', 'USD', 219.83, '0.01', 2, 0],
  ['QQQ', 'Nasdaq 100 ETF', 'equity', 'QQQ', 'USD', 531.4, '0.01', 2, 0],
  ['COIN', 'Coinbase', 'equity', 'COIN', 'USD', 264.05, '0.01', 2, 0],
  ['EUR/USD', 'Euro', 'fx', 'EUR', 'USD', 1.08412, '0.00001', 5, 0],
  ['USD/JPY', 'US dollar', 'fx', 'USD', 'JPY', 154.318, '0.001', 3, 0],
  ['GBP/USD', 'Pound sterling', 'fx', 'GBP', 'USD', 1.27155, '0.00001', 5, 0],
  ['AUD/USD', 'Australian dollar', 'fx', 'AUD', 'USD', 0.65518, '0.00001', 5, 0],
  ['USD/CAD', 'US dollar', 'fx', 'USD', 'CAD', 1.36904, '0.00001', 5, 0],
  ['EUR/GBP', 'Euro', 'fx', 'EUR', 'GBP', 0.85258, '0.00001', 5, 0],
  ['XAU/USD', 'Gold', 'metal', 'XAU', 'USD', 2684.35, '0.01', 2, 0],
  ['XAG/USD', 'Silver', 'metal', 'XAG', 'USD', 31.482, '0.001', 3, 0],
];

export const INSTRUMENTS: Instrument[] = rows.map(
  ([symbol, name, asset_class, base, quote_currency, , tick_size, price_decimals, quantity_decimals]) => ({
    id: `${symbol}.SIM`,
    symbol,
    venue: 'SIM',
    name,
    asset_class,
    base,
    quote_currency,
    tick_size,
    quantity_step: quantity_decimals === 0 ? '1' : (10 ** -quantity_decimals).toFixed(quantity_decimals),
    min_quantity: quantity_decimals === 0 ? '1' : (10 ** -quantity_decimals).toFixed(quantity_decimals),
    price_decimals,
    quantity_decimals,
    initial_margin: asset_class === 'equity' ? '0.5' : '0.1',
    taker_fee: '0.0005',
    maker_fee: '0.0001',
  }),
);
const LEVEL = new Map(rows.map((r) => [`${r[0]}.SIM`, r[5]]));
const VOLATILITY: Record<string, number> = { crypto: 1, equity: 0.6, fx: 0.18, metal: 0.35, other: 0.5 };

function hash(a: number, b: number): number {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b | 0, 0xc2b2ae35);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  h ^= h >>> 12;
  h = Math.imul(h, 0x297a2d39);
  return ((h ^ (h >>> 15)) >>> 0) / 4294967296;
}
const seedOf = (id: string) => [...id].reduce((h, c) => Math.imul(h ^ c.charCodeAt(0), 16777619), 2166136261);

/** Seconds and relative size of each octave of noise. */
const OCTAVES: [number, number][] = [
  [86400 * 40, 0.16],
  [86400 * 9, 0.06],
  [86400 * 2, 0.022],
  [36000, 0.013],
  [9000, 0.006],
  [2400, 0.003],
  [600, 0.0014],
  [150, 0.0007],
  [37, 0.0003],
  [9, 0.0001],
];

export function priceAt(id: string, seconds: number): number {
  const seed = seedOf(id);
  const level = LEVEL.get(id) ?? 100;
  const scale = VOLATILITY[INSTRUMENTS.find((i) => i.id === id)?.asset_class ?? 'other'] ?? 0.5;
  let sum = 0;
  OCTAVES.forEach(([period, size], octave) => {
    const x = seconds / period;
    const i = Math.floor(x);
    const f = x - i;
    const s = f * f * (3 - 2 * f);
    const a = hash(seed + octave * 7919, i) - 0.5;
    const b = hash(seed + octave * 7919, i + 1) - 0.5;
    sum += (a + (b - a) * s) * 2 * size;
  });
  return level * Math.exp(sum * scale);
}

export interface Bar {
  time: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

export function barAt(id: string, time: number, step: number, until = time + step): Bar {
  const open = priceAt(id, time);
  const close = priceAt(id, until);
  let high = Math.max(open, close);
  let low = Math.min(open, close);
  const parts = 8;
  for (let i = 1; i < parts; i++) {
    const p = priceAt(id, time + ((until - time) * i) / parts);
    high = Math.max(high, p);
    low = Math.min(low, p);
  }
  const seed = seedOf(id);
  const share = (until - time) / step;
  const busy = 0.4 + hash(seed + 3, time / step) ** 2 * 2 + (Math.abs(close - open) / open) * 250;
  return { time, open, high, low, close, volume: busy * share * 40 * Math.sqrt(step / 900) };
}

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400, w: 604800, M: 2592000 };
export const secondsOf = (timeframe: string): number =>
  Number.parseInt(timeframe, 10) * (UNITS[timeframe.slice(-1)] ?? 60);

const spark = (id: string, now: number) => Array.from({ length: 24 }, (_, i) => priceAt(id, now - (23 - i) * 3600));

export function quoteAt(instrument: Instrument, now: number): Quote {
  const { id, price_decimals: d } = instrument;
  const last = priceAt(id, now);
  const before = priceAt(id, now - 86400);
  const tick = Number(instrument.tick_size);
  const points = Array.from({ length: 48 }, (_, i) => priceAt(id, now - i * 1800));
  const seed = seedOf(id);
  return {
    instrument: id,
    bid: (last - tick * 5).toFixed(d),
    ask: last.toFixed(d),
    bid_qty: (hash(seed, now) * 5).toFixed(3),
    ask_qty: (hash(seed + 1, now) * 5).toFixed(3),
    last: last.toFixed(d),
    change_24h: (last / before - 1).toFixed(6),
    high_24h: Math.max(...points).toFixed(d),
    low_24h: Math.min(...points).toFixed(d),
    volume_24h: (1.92e9 / (1 + (Math.abs(seed) % 40))).toFixed(0),
    event_time: new Date(now * 1000).toISOString(),
    stale: false,
    spark: spark(id, now),
    simulated: true,
  };
}

export { hash, seedOf };
