import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compare, decimal, mul, sub } from '@/lib/decimal';
import type { Draft } from '@/lib/draft';
import { newClientId } from './clientId';
import { distance, levelAway, sizeFor, toRequest } from './sizing';

const btc = { quantity_step: '0.001', tick_size: '0.1' };
const draft: Draft = {
  side: 'buy',
  type: 'limit',
  price: '68,350.0',
  stop: '',
  trail: '',
  qty: '0.4',
  sizing: 'units',
  bracket: true,
  takeProfit: '69888',
  stopLoss: '67632',
  tif: 'gtc',
  postOnly: true,
  reduceOnly: false,
};

describe('size buttons', () => {
  it('takes a share of equity as notional, down to the step', () => {
    expect(sizeFor('p25', '29306.41', '68350', '', btc)).toBe('0.107');
  });
  it('risks one percent between entry and stop', () => {
    expect(sizeFor('risk1', '29306.41', '68350', '67632', btc)).toBe('0.408');
    expect(sizeFor('risk1', '29306.41', '68350', '', btc)).toBeNull();
    expect(sizeFor('risk1', '29306.41', '68350', '68350', btc)).toBeNull();
  });
  it('keeps nine decimals where the venue names no step', () => {
    expect(sizeFor('risk1', '30000', '226.75', '224.4825', { quantity_step: '0' })).toBe('132.304299889');
    expect(sizeFor('p50', '30000', '100', '', { quantity_step: '0' })).toBe('150');
  });
  it('never risks more than asked for', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 ** 9 }),
        fc.integer({ min: 2, max: 10 ** 7 }),
        fc.integer({ min: 1, max: 10 ** 7 }),
        (equity, entry, away) => {
          const stop = String(Math.max(1, entry - away));
          const qty = sizeFor('risk1', String(equity), String(entry), stop, btc);
          if (qty === null) return;
          const loss = mul(decimal(qty), sub(decimal(String(entry)), decimal(stop)));
          expect(compare(loss, mul(decimal(String(equity)), decimal('0.01')))).toBeLessThanOrEqual(0);
        },
      ),
    );
  });
  it('puts levels on a tick and measures how far they are', () => {
    expect(levelAway('68350', '-0.01', btc)).toBe('67666.5');
    expect(levelAway('0.16214', '0.02', { tick_size: '0.00001' })).toBe('0.16538');
    expect(distance('68350', '69888')).toBe('0.022501');
    expect(distance('', '1')).toBeNull();
  });
});

describe('request of a draft', () => {
  it('sends only what the type needs, in plain digits', () => {
    expect(toRequest(draft, 'BTC-PERP.SIM', 'paper').order).toEqual({
      account: 'paper',
      instrument: 'BTC-PERP.SIM',
      side: 'buy',
      order_type: 'limit',
      qty: '0.4',
      tif: 'gtc',
      price: '68350.0',
      take_profit: '69888',
      stop_loss: '67632',
      post_only: true,
    });
    expect(toRequest({ ...draft, type: 'market', bracket: false }, 'A', 'paper').order).toEqual({
      account: 'paper',
      instrument: 'A',
      side: 'buy',
      order_type: 'market',
      qty: '0.4',
    });
  });
  it.each([
    [{ qty: '0' }, 'qty'],
    [{ qty: 'abc' }, 'qty'],
    [{ price: '-1' }, 'price'],
    [{ type: 'stop_limit' as const }, 'stop'],
    [{ type: 'trailing_stop' as const }, 'trail'],
    [{ stopLoss: 'x' }, 'stopLoss'],
  ])('names the first field that is wrong: %o', (change, problem) => {
    expect(toRequest({ ...draft, ...change }, 'A', 'paper').problem).toBe(problem);
  });
});

it('names every intent differently, in what a venue takes', () => {
  const ids = Array.from({ length: 100 }, newClientId);
  expect(new Set(ids).size).toBe(100);
  for (const id of ids) expect(id).toMatch(/^[a-z0-9-]{20,36}$/);
});
