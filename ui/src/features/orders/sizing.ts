import { abs, type Decimal, decimal, div, floorTo, mul, parseDecimal, roundTo, sign, sub, toText } from '@/lib/decimal';
import type { Draft, Sizing } from '@/lib/draft';
import type { Instrument, OrderArgs, OrderType } from '@/transport/types';

/** What a size button means: a share of equity as notional, or the share that is lost at the stop. */
export const SIZINGS: Record<Exclude<Sizing, 'units'>, { kind: 'notional' | 'risk'; ratio: string }> = {
  p5: { kind: 'notional', ratio: '0.05' },
  p10: { kind: 'notional', ratio: '0.10' },
  p25: { kind: 'notional', ratio: '0.25' },
  p50: { kind: 'notional', ratio: '0.50' },
  risk1: { kind: 'risk', ratio: '0.01' },
};

/**
 * Quantity for a size button, cut to the instrument's step. `null` when something it needs is missing. This proposes a
 * number for the field; what it costs and whether it may be sent, the engine says in the preview.
 */
export function sizeFor(
  sizing: Exclude<Sizing, 'units'>,
  equity: string,
  entry: string,
  stopLoss: string,
  instrument: Pick<Instrument, 'quantity_step'>,
): string | null {
  const price = parseDecimal(entry);
  const money = parseDecimal(equity);
  if (!price || !money || sign(price) <= 0) return null;
  const { kind, ratio } = SIZINGS[sizing];
  let perUnit: Decimal = price;
  if (kind === 'risk') {
    const stop = parseDecimal(stopLoss);
    if (!stop) return null;
    perUnit = abs(sub(price, stop));
    if (sign(perUnit) === 0) return null;
  }
  const exact = div(mul(money, decimal(ratio)), perUnit, 12);
  const step = decimal(instrument.quantity_step);
  if (sign(step) !== 0) return toText(floorTo(exact, step));
  // Any quantity of nine decimals.
  return toText(floorTo(exact, decimal('0.000000001'))).replace(/\.?0+$/, '');
}

/** A level `ratio` away from `entry`, on a tick: above it for a buy's target and a sell's stop. */
export function levelAway(entry: string, ratio: string, instrument: Pick<Instrument, 'tick_size'>): string | null {
  const price = parseDecimal(entry);
  if (!price) return null;
  const moved = mul(price, decimal(ratio));
  return toText(
    roundTo(
      { units: price.units * 10n ** BigInt(moved.scale - price.scale) + moved.units, scale: moved.scale },
      decimal(instrument.tick_size),
    ),
  );
}

/** How far `level` is from `entry`, as a ratio with six digits; `null` when either is missing. */
export function distance(entry: string, level: string): string | null {
  const price = parseDecimal(entry);
  const other = parseDecimal(level);
  if (!price || !other || sign(price) === 0) return null;
  return toText(div(sub(other, price), price, 6));
}

/** Which fields an order type needs. */
export const NEEDS: Record<OrderType, { price: boolean; stop: boolean; trail: boolean }> = {
  market: { price: false, stop: false, trail: false },
  limit: { price: true, stop: false, trail: false },
  stop: { price: false, stop: true, trail: false },
  stop_limit: { price: true, stop: true, trail: false },
  trailing_stop: { price: false, stop: false, trail: true },
};

export type DraftProblem = 'qty' | 'price' | 'stop' | 'trail' | 'takeProfit' | 'stopLoss';

/** The request for a draft, or the first field that is not a positive number. The engine checks everything again. */
export function toRequest(
  draft: Draft,
  instrument: string,
  account: string,
): { order: OrderArgs; problem: null } | { order: null; problem: DraftProblem } {
  const good = (text: string) => {
    const value = parseDecimal(text);
    return value !== null && sign(value) > 0;
  };
  const clean = (text: string) => toText(decimal(text));
  const need = NEEDS[draft.type];
  if (!good(draft.qty)) return { order: null, problem: 'qty' };
  if (need.price && !good(draft.price)) return { order: null, problem: 'price' };
  if (need.stop && !good(draft.stop)) return { order: null, problem: 'stop' };
  if (need.trail && !good(draft.trail)) return { order: null, problem: 'trail' };
  if (draft.bracket && draft.takeProfit !== '' && !good(draft.takeProfit))
    return { order: null, problem: 'takeProfit' };
  if (draft.bracket && draft.stopLoss !== '' && !good(draft.stopLoss)) return { order: null, problem: 'stopLoss' };
  const order: OrderArgs = {
    account,
    instrument,
    side: draft.side,
    order_type: draft.type,
    qty: clean(draft.qty),
    ...(draft.type === 'market' ? {} : { tif: draft.tif }),
    ...(need.price ? { price: clean(draft.price) } : {}),
    ...(need.stop ? { stop: clean(draft.stop) } : {}),
    ...(need.trail ? { trail: clean(draft.trail) } : {}),
    ...(draft.bracket && draft.takeProfit ? { take_profit: clean(draft.takeProfit) } : {}),
    ...(draft.bracket && draft.stopLoss ? { stop_loss: clean(draft.stopLoss) } : {}),
    ...(draft.reduceOnly ? { reduce_only: true } : {}),
    ...(draft.postOnly && need.price ? { post_only: true } : {}),
  };
  return { order, problem: null };
}
