/** What is drawn of a chart's analysis beside its indicators. */
export interface Layers {
  patterns: boolean;
  /** Which signals: `directional` leaves out those without a side, such as a doji. */
  side: PatternSide;
  /** TA-Lib's strength: 100 for a pattern, 200 for one that the next candles confirmed. */
  strength: 100 | 200;
  /** Patterns that are not shown, by name. */
  without: string[];
  levels: boolean;
  shapes: boolean;
  regime: boolean;
  /** Flags where something was published. */
  news: boolean;
}
export const SIDES = ['directional', 'bullish', 'bearish', 'all'] as const;
export type PatternSide = (typeof SIDES)[number];

export const NO_LAYERS: Layers = {
  patterns: false,
  side: 'directional',
  strength: 100,
  without: [],
  levels: false,
  shapes: false,
  regime: false,
  news: false,
};

/** Layouts are stored text. */
export function readLayers(raw: unknown): Layers {
  const value = (typeof raw === 'object' && raw !== null ? raw : {}) as Partial<Layers>;
  return {
    patterns: value.patterns === true,
    side: SIDES.find((side) => side === value.side) ?? NO_LAYERS.side,
    strength: value.strength === 200 ? 200 : 100,
    without: Array.isArray(value.without) ? value.without.filter((name) => typeof name === 'string') : [],
    levels: value.levels === true,
    shapes: value.shapes === true,
    regime: value.regime === true,
    news: value.news === true,
  };
}

/** What a mark on the chart says when it is pointed at. */
export interface Note {
  title: string;
  lines: string[];
}
export type Notes = ReadonlyMap<string, Note>;
export const NO_NOTES: Notes = new Map();
