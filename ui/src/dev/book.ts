import type { Depth, TradePrint } from '@/transport/types';
import { at, instrument, iso, now } from './clock';
import { hash, priceAt, seedOf } from './market';

export const depth = (id: string): Depth => {
  const i = instrument(id);
  const tick = Number(i.tick_size) * (i.asset_class === 'crypto' ? 10 : 1);
  const middle = Math.round(priceAt(id, now()) / tick) * tick;
  const second = Math.floor(now() * 2);
  const side = (sign: number) => {
    let total = 0;
    return Array.from({ length: 20 }, (_, n): [string, string, string] => {
      const size = hash(seedOf(id) + n * sign + 17, Math.floor(second / (n + 1))) * 4.2 + 0.1;
      total += size;
      return [
        (middle + sign * tick * (n + (sign > 0 ? 0 : 1))).toFixed(i.price_decimals),
        size.toFixed(3),
        total.toFixed(3),
      ];
    });
  };
  return {
    asks: side(1),
    bids: side(-1),
    spread: tick.toFixed(i.price_decimals),
    spread_bp: (tick / middle) * 1e4,
  };
};
export const trades = (id: string, count: number): TradePrint[] =>
  Array.from({ length: count }, (_, n) => {
    const time = now() - (count - n) * 0.7;
    return {
      time: iso(time),
      price: at(id, time),
      qty: (hash(seedOf(id) + 5, Math.floor(time * 10)) ** 3 * 3 + 0.001).toFixed(3),
      side: hash(seedOf(id), Math.floor(time * 10)) > 0.5 ? 'buy' : 'sell',
    };
  });
