import type { Account, Decision, Fill, Order, OrderArgs, OrderPreview, Position, Positions } from '@/transport/types';
import { at, instrument, iso, now, start, state } from './clock';

export const position = (id: string, side: 'long' | 'short', qty: string, back: number, source: string): Position => ({
  account: 'paper',
  instrument: id,
  side,
  qty,
  entry_price: at(id, start - back),
  mark: at(id),
  notional: '0',
  unrealized_pnl: '0',
  unrealized_ratio: '0',
  realized_pnl: '0',
  fees: '1.20',
  stop_loss: (Number(at(id, start - back)) * (side === 'long' ? 0.985 : 1.015)).toFixed(instrument(id).price_decimals),
  take_profit: (Number(at(id, start - back)) * (side === 'long' ? 1.025 : 0.975)).toFixed(
    instrument(id).price_decimals,
  ),
  source,
  opened_at: iso(start - back),
});
export const open: Position[] = [
  position('BTC-PERP.SIM', 'long', '0.400', 23000, 'ema-cross'),
  position('ETH-PERP.SIM', 'short', '3.200', 5000, 'manual'),
  position('NVDA.SIM', 'long', '60', 90000, 'breakout'),
  position('EUR/USD.SIM', 'short', '50000', 40000, 'manual'),
];
export const positions = (): Positions => {
  let total = 0;
  for (const p of open) {
    const mark = Number(at(p.instrument));
    const pnl = (mark - Number(p.entry_price)) * Number(p.qty) * (p.side === 'long' ? 1 : -1);
    total += pnl;
    p.mark = at(p.instrument);
    p.unrealized_pnl = pnl.toFixed(2);
    p.notional = (mark * Number(p.qty)).toFixed(2);
    p.unrealized_ratio = (pnl / (Number(p.entry_price) * Number(p.qty))).toFixed(6);
  }
  return {
    positions: open.map((p) => ({ ...p })),
    totals: [{ currency: 'USD', unrealized_pnl: total.toFixed(2), realized_pnl: '170.12' }],
  };
};
export const order = (args: OrderArgs, status: Order['status']): Order => ({
  id: ++state.counter,
  client_order_id: args.client_order_id ?? `C-${state.counter}`,
  venue_order_id: `SIM-${state.counter}`,
  account: args.account ?? 'paper',
  instrument: args.instrument,
  side: args.side,
  order_type: args.order_type ?? 'market',
  qty: args.qty,
  filled_qty: '0',
  price: args.price,
  stop: args.stop,
  status,
  tif: args.tif ?? 'gtc',
  reduce_only: args.reduce_only ?? false,
  take_profit: args.take_profit,
  stop_loss: args.stop_loss,
  source: 'manual',
  pending_cancel: false,
  created_at: iso(now()),
  updated_at: iso(now()),
  fees: '0',
});
export const orders: Order[] = [
  order(
    {
      account: 'paper',
      instrument: 'BTC-PERP.SIM',
      side: 'buy',
      order_type: 'limit',
      qty: '0.200',
      price: (Number(at('BTC-PERP.SIM')) * 0.985).toFixed(1),
    },
    'accepted',
  ),
  order(
    { account: 'paper', instrument: 'SOL-PERP.SIM', side: 'sell', order_type: 'stop', qty: '40.0', stop: '165.20' },
    'accepted',
  ),
  {
    ...order(
      { account: 'paper', instrument: 'AAPL.SIM', side: 'buy', order_type: 'limit', qty: '20', price: '221.00' },
      'rejected',
    ),
    reason: 'market closed',
  },
];
export const fill = (id: string, side: 'buy' | 'sell', qty: string, back: number): Fill => ({
  id: `F-${++state.counter}`,
  order_id: state.counter,
  account: 'paper',
  instrument: id,
  side,
  qty,
  price: at(id, start - back),
  fee: '2.71',
  liquidity: 'taker',
  event_time: iso(start - back),
  realized_pnl: side === 'sell' ? '66.20' : '0',
  source: 'ema-cross',
});
export const fills: Fill[] = [
  fill('BTC-PERP.SIM', 'buy', '0.400', 23000),
  fill('BTC-PERP.SIM', 'sell', '0.250', 61000),
  fill('BTC-PERP.SIM', 'buy', '0.250', 92000),
  fill('ETH-PERP.SIM', 'sell', '3.200', 5000),
  fill('NVDA.SIM', 'buy', '60', 90000),
];
export const decision = (
  id: string,
  verdict: Decision['verdict'],
  qty: string,
  back: number,
  reason: string,
  confidence: number,
): Decision => ({
  id: `D-${++state.counter}`,
  time: iso(start - back),
  instrument: id,
  strategy: 'ema-cross',
  verdict,
  qty,
  price: at(id, start - back),
  reason,
  confidence,
});
export const decisions: Decision[] = [
  decision('SOL-PERP.SIM', 'block', '40', 3200, 'Risk rule “correlated exposure 60%” would reach 72%.', 0.71),
  decision('BTC-PERP.SIM', 'skip', '0.20', 11000, 'Confidence under the 0.60 threshold; already long.', 0.54),
  decision(
    'BTC-PERP.SIM',
    'buy',
    '0.40',
    23000,
    'ema(10) crossed above ema(20) and rsi(14) = 58 is below 70. Sized to 1% risk.',
    0.78,
  ),
  decision('BTC-PERP.SIM', 'sell', '0.25', 61000, 'ema(10) crossed below ema(20).', 0.66),
];
export const accounts = (): Account[] => [
  {
    id: 'paper',
    venue: 'SIM',
    mode: 'paper',
    simulated: true,
    currency: 'USD',
    balance: '28894.33',
    equity: '29306.41',
    buying_power: '20221.42',
    margin_used: '9084.99',
    margin_ratio: '0.31',
    day_pnl: '412.08',
    day_pnl_ratio: '0.0143',
    as_of: iso(now()),
    halted: state.halted,
  },
];

export const preview = (args: OrderArgs): OrderPreview => {
  const i = instrument(args.instrument);
  const level = Number(args.price ?? args.stop ?? at(args.instrument));
  const qty = Number(args.qty);
  const notional = level * qty;
  const sideSign = args.side === 'buy' ? 1 : -1;
  const loss = args.stop_loss ? (Number(args.stop_loss) - level) * qty * sideSign : null;
  const gain = args.take_profit ? (Number(args.take_profit) - level) * qty * sideSign : null;
  const checks = [
    'max order notional',
    'max position',
    'price band',
    'daily loss',
    'open orders',
    'order rate',
    'buying power',
  ].map((check) => ({ check, pass: true, reason: 'within the limit' }));
  if (notional > 100000)
    checks[0] = { check: 'max order notional', pass: false, reason: `${notional.toFixed(0)} is over 100,000` };
  if (state.halted) checks.push({ check: 'halt', pass: false, reason: 'trading is halted' });
  return {
    notional: notional.toFixed(2),
    margin: (notional * Number(i.initial_margin)).toFixed(2),
    fee: (notional * 0.0001).toFixed(2),
    currency: String(i.quote_currency),
    loss_at_stop: loss === null ? undefined : loss.toFixed(2),
    gain_at_target: gain === null ? undefined : gain.toFixed(2),
    risk_reward: loss && gain ? Math.abs(gain / loss).toFixed(1) : undefined,
    loss_at_stop_equity_ratio: loss === null ? undefined : Math.abs(loss / 29306).toFixed(4),
    checks,
    sentence: `${args.side === 'buy' ? 'Buy' : 'Sell'} ${args.qty} ${i.symbol} ${args.order_type}${args.price ? ` at ${args.price}` : ''} on paper account paper at SIM`,
    account: args.account ?? 'paper',
    mode: 'paper',
    venue: 'SIM',
  };
};
