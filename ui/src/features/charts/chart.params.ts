import type { Group } from '@/lib/links';
import { type Layers, NO_LAYERS, readLayers } from './layers';
import { readStudy, type Study } from './study';

/** What a chart panel remembers in the layout. */
export interface ChartParams {
  group: Group;
  timeframe: string;
  studies: Study[];
  /** Heights of panes that were changed by hand, in the proportion of the others; by `price`, `volume` or study. */
  panes: Record<string, number>;
  /** What is drawn of the analysis. */
  layers: Layers;
  compact: boolean;
  /** Shows the table instead of the picture. */
  table: boolean;
}

export const CHART_DEFAULTS: ChartParams = {
  group: 'A',
  timeframe: '15m',
  studies: [{ text: 'ema(21)' }, { text: 'ema(55)' }, { text: 'bb(20,2)' }, { text: 'rsi(14)' }],
  panes: {},
  layers: NO_LAYERS,
  compact: false,
  table: false,
};

/** Layouts are stored text: whatever is missing or wrong becomes the default. */
export function chartParams(raw: unknown): ChartParams {
  const value = (typeof raw === 'object' && raw !== null ? raw : {}) as Partial<ChartParams>;
  const panes = typeof value.panes === 'object' && value.panes !== null ? Object.entries(value.panes) : [];
  return {
    group: value.group && /^[A-F]$/.test(value.group) ? value.group : CHART_DEFAULTS.group,
    timeframe: typeof value.timeframe === 'string' ? value.timeframe : CHART_DEFAULTS.timeframe,
    studies: Array.isArray(value.studies)
      ? value.studies.map(readStudy).filter((each) => each !== null)
      : CHART_DEFAULTS.studies,
    panes: Object.fromEntries(panes.filter(([, weight]) => typeof weight === 'number' && weight > 0)),
    layers: readLayers(value.layers),
    compact: value.compact === true,
    table: value.table === true,
  };
}

export const TIMEFRAMES = ['1m', '5m', '15m', '1h', '4h', '1d'] as const;
export const MORE_TIMEFRAMES = [
  '1s',
  '5s',
  '15s',
  '30s',
  '2m',
  '3m',
  '10m',
  '30m',
  '2h',
  '6h',
  '8h',
  '12h',
  '1w',
  '1M',
];

/** Candles that end with what was traded: so many trades. */
export const TRADE_CANDLES = ['50t', '100t', '250t', '500t', '1000t'];

/** Whether candles end by the clock; otherwise they end with so many trades (`100t`), so much volume (`500v`) … */
export const isTimed = (timeframe: string) => /^\d+[smhdwM]$/.test(timeframe);

/**
 * `15` → `15m`, `4H` → `4h`, `1D` → `1d`, `1M` → `1M`; `100t` (trades), `2.5v` (volume), `5000n` (notional), `3r` (range),
 * `10k` (renko) stay; `null` when it is none of these.
 */
export function readTimeframe(text: string): string | null {
  const traded = /^(\d{1,9}(?:\.\d{1,9})?)\s*([tvnrk])$/i.exec(text.trim());
  if (traded) {
    const number = (traded[1] ?? '').replace(/^0+(?=\d)/, '');
    const unit = (traded[2] ?? '').toLowerCase();
    const possible = Number(number) > 0 && (unit !== 't' || !number.includes('.'));
    return possible ? number + unit : null;
  }
  const match = /^(\d{1,4})\s*([a-z]?)$/i.exec(text.trim());
  if (!match || Number(match[1]) === 0) return null;
  const unit = match[2] || 'm';
  const known = unit === 'M' ? 'M' : unit.toLowerCase();
  return 'smhdwM'.includes(known) ? `${Number(match[1])}${known}` : null;
}
/** The picture writes days and longer with a capital: `1D`. */
export const timeframeLabel = (timeframe: string) => timeframe.replace(/([dw])$/, (unit) => unit.toUpperCase());
