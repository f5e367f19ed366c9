import type { CommandMap } from '@/transport/types';
import { at, iso, start } from './clock';
import { hash } from './market';

export function backtest(id: string): CommandMap['backtest.run'][1] {
  let equity = 30000;
  let peak = equity;
  const curve = Array.from({ length: 400 }, (_, i) => {
    equity *= 1 + (hash(9, i) - 0.48) * 0.01;
    peak = Math.max(peak, equity);
    return {
      time: iso(start - (400 - i) * 86400),
      equity: equity.toFixed(2),
      drawdown: (1 - equity / peak).toFixed(6),
    };
  });
  return {
    trades: Array.from({ length: 40 }, (_, i) => ({
      side: 'buy',
      qty: '0.100',
      entry_time: iso(start - (41 - i) * 864000),
      entry_price: at(id, start - (41 - i) * 864000),
      exit_time: iso(start - (40 - i) * 864000),
      exit_price: at(id, start - (40 - i) * 864000),
      pnl: ((hash(4, i) - 0.45) * 300).toFixed(2),
      fees: '3.10',
      exit_reason: 'signal',
    })),
    equity: curve,
    metrics: {
      net_profit: (equity - 30000).toFixed(2),
      max_drawdown: '0.083',
      sharpe_ratio: '1.21',
      trades: '40',
      win_rate: '0.55',
      profit_factor: '1.42',
    },
    assumptions: { fee_bps: '5', slippage_bps: '1', fill: 'next_open' },
    fingerprint: 'b9f0a1c2d3e4f5a6',
  };
}
