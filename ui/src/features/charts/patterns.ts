import type { PatternInfo, PatternSignal } from '@/bindings';
import type { Layers } from './layers';

export type Side = 'bull' | 'bear' | 'plain';

/** What the sign of a pattern's signal means. */
export function sideOf(signal: number, info: Pick<PatternInfo, 'direction'> | undefined): Side {
  if (!info || info.direction === 'neutral') return 'plain';
  return signal > 0 ? 'bull' : 'bear';
}

/** One mark per candle and side, for what passes the filter. */
export interface PatternMark {
  id: string;
  time: number;
  side: Side;
  hits: { info: PatternInfo; signal: number }[];
}

export function marksOf(
  hits: readonly PatternSignal[],
  known: readonly PatternInfo[],
  filter: Pick<Layers, 'side' | 'strength' | 'without'>,
): PatternMark[] {
  const infos = new Map(known.map((info) => [info.name, info]));
  const marks = new Map<string, PatternMark>();
  for (const { pattern, signal, open_time } of hits) {
    const info = infos.get(pattern);
    if (!info || filter.without.includes(pattern) || Math.abs(signal) < filter.strength) continue;
    const side = sideOf(signal, info);
    if (filter.side === 'bullish' && side !== 'bull') continue;
    if (filter.side === 'bearish' && side !== 'bear') continue;
    if (filter.side === 'directional' && side === 'plain') continue;
    const id = `pattern/${open_time}/${side}`;
    const mark = marks.get(id) ?? { id, time: Date.parse(open_time) / 1000, side, hits: [] };
    mark.hits.push({ info, signal });
    marks.set(id, mark);
  }
  return [...marks.values()];
}
