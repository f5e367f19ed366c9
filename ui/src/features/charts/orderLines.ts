import { useEffect, useMemo } from 'react';
import { decimal, mul, parseDecimal, sub, toText } from '@/lib/decimal';
import { useDraft } from '@/lib/draft';
import { isOver } from '@/lib/orderStatus';
import { token } from '@/lib/prefs';
import { useLive } from '@/transport/live';
import type { Order, Position } from '@/transport/types';
import type { ChartController } from './controller';
import type { ChartLine } from './port';

export type TagKind = 'position' | 'tp' | 'sl' | 'order' | 'draft';
export interface TagLine extends ChartLine {
  kind: TagKind;
  side: 'buy' | 'sell' | 'long' | 'short';
  qty: string;
  /** Open result (position) or result at this level (exits), as decimal text. */
  pnl: string | null;
  position?: Position;
  order?: Order;
}

/** What an exit at `level` would give before fees: exact, because all three are decimal text. */
export function resultAt(position: Pick<Position, 'side' | 'qty' | 'entry_price'>, level: string): string {
  const move =
    position.side === 'short'
      ? sub(decimal(position.entry_price), decimal(level))
      : sub(decimal(level), decimal(position.entry_price));
  return toText(mul(move, decimal(position.qty)));
}

/** Lines of what we hold and have working in an instrument, and of the draft on the ticket. */
export function useOrderLines(chart: ChartController | null, instrument: string | null, theme: string): TagLine[] {
  const positions = useLive('positions', instrument ? {} : null).data?.positions;
  const orders = useLive('orders', instrument ? {} : null).data;
  const draft = useDraft();

  // biome-ignore lint/correctness/useExhaustiveDependencies: `theme` decides what the colour tokens are
  const lines = useMemo(() => {
    const all: TagLine[] = [];
    if (!instrument) return all;
    const line = (
      id: string,
      level: string,
      color: string,
      style: ChartLine['style'],
      rest: Omit<TagLine, keyof ChartLine>,
    ) => {
      if (parseDecimal(level))
        all.push({ id, price: Number(level), color: token(color), style, axisText: level, ...rest });
    };
    for (const position of positions ?? []) {
      if (position.instrument !== instrument || position.side === 'flat') continue;
      const key = `${position.account}/${position.instrument}`;
      line(`${key}/entry`, position.entry_price, 'accent', 'solid', {
        kind: 'position',
        side: position.side,
        qty: position.qty,
        pnl: position.unrealized_pnl,
        position,
      });
      if (position.take_profit)
        line(`${key}/tp`, position.take_profit, 'up', 'dotted', {
          kind: 'tp',
          side: position.side,
          qty: position.qty,
          pnl: resultAt(position, position.take_profit),
          position,
        });
      if (position.stop_loss)
        line(`${key}/sl`, position.stop_loss, 'down', 'dotted', {
          kind: 'sl',
          side: position.side,
          qty: position.qty,
          pnl: resultAt(position, position.stop_loss),
          position,
        });
    }
    for (const order of orders ?? []) {
      if (order.instrument !== instrument || isOver(order.status)) continue;
      const level = order.price ?? order.stop;
      const shown = positions?.some(
        (p) => p.instrument === instrument && (p.take_profit === level || p.stop_loss === level),
      );
      if (level && !shown)
        line(`order/${order.id}`, level, order.side === 'buy' ? 'up' : 'down', 'dashed', {
          kind: 'order',
          side: order.side,
          qty: order.qty,
          pnl: null,
          order,
        });
    }
    return all;
  }, [instrument, positions, orders, theme]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `theme` decides what the colour tokens are
  const drafted = useMemo(() => {
    const level =
      draft.type === 'limit' ? draft.price : draft.type === 'stop' || draft.type === 'stop_limit' ? draft.stop : '';
    if (!instrument || draft.instrument !== instrument || !draft.qty || !parseDecimal(level)) return [];
    const line: TagLine = {
      id: 'draft',
      price: Number(level),
      color: token('t3'),
      style: 'dashed',
      axisText: level,
      kind: 'draft',
      side: draft.side,
      qty: draft.qty,
      pnl: null,
    };
    return [line];
  }, [instrument, draft, theme]);

  const result = useMemo(() => [...lines, ...drafted], [lines, drafted]);
  useEffect(() => {
    chart?.port.setLines(
      result.map(({ id, price, color, style, axisText }) => ({ id, price, color, style, axisText })),
    );
  }, [chart, result]);
  return result;
}
