import type { Level } from './candleStore';
import type { Study } from './study';
import type { Range, Span } from './window';

/** One line of one study: where it is drawn and from which column. */
export interface Plot {
  column: number;
  /** Its place among the chart's studies: plots of one study share it. */
  study: number;
  /** The engine's name of the output, empty for the main one. */
  output: string;
  title: string;
  color: string;
  /** 0 = with the price; 1 … own panes below. */
  pane: number;
  kind: 'line' | 'histogram' | 'dots';
  width: 1 | 2;
  /** Between the others and less important than they are. */
  faint: boolean;
  /** One of an upper and a lower line around the price. */
  band: boolean;
}
export interface Pane {
  /** `price`, `volume` or the text of the study. */
  key: string;
  /** Height in proportion to the others, as nobody changed it. */
  usual: number;
  weight: number;
}
export interface Plan {
  plots: Plot[];
  /** `pane` = own pane, `overlay` = at the foot of the price pane, `none`. */
  volume: 'pane' | 'overlay' | 'none';
  priceDecimals: number;
  /** Thresholds of an oscillator's pane, e.g. 30 and 70. */
  guides: { pane: number; values: number[] }[];
  /** From the top; the price first. */
  panes: Pane[];
  /** The studies it was made for, drawn or not. */
  studies: readonly Study[];
}

export interface ChartLine {
  id: string;
  price: number;
  color: string;
  style: 'solid' | 'dotted' | 'dashed';
  axisText: string;
}
export interface ChartMarker {
  id: string;
  time: number;
  /**
   * Ours are large and named; `bull`, `bear` and `plain` are patterns: small, and named when pointed at. `flag` stands at
   * the top of the price.
   */
  kind: 'buy' | 'sell' | 'dot' | 'flag' | 'bull' | 'bear' | 'plain';
  text: string;
  color: string;
  /** Where it points; by default below the low (buy) or above the high. */
  price?: number;
}

/** A straight line between two moments. */
export interface Stroke {
  from: { time: number; price: number };
  to: { time: number; price: number };
}
/** A price at which swings turned, from its first touch to now. */
export interface LevelMark {
  id: string;
  since: number;
  price: number;
  /** Half the height of its zone. */
  zone: number;
  color: string;
  /** 0 to 1. */
  strength: number;
  label: string;
}
/** A chart pattern: the way through its swings and the lines whose break counts. */
export interface ShapeMark {
  id: string;
  color: string;
  points: { time: number; price: number }[];
  lines: Stroke[];
  /** Where its line broke. */
  broke?: { time: number; price: number };
  /** Where the price came back to the broken line. */
  retest?: { time: number; price: number; label: string };
  /** How far it should go by its own height: from the break to where that was reached, or on until now. */
  target?: Stroke & { label: string };
  label: string;
  faint: boolean;
}
/** A stretch of one kind of market, at the foot of the price. */
export interface RegimeMark {
  id: string;
  from: number;
  /** Open at the end for the one that holds now. */
  to: number;
  color: string;
  confidence: number;
  label: string;
}
export interface StructureMarks {
  levels: readonly LevelMark[];
  shapes: readonly ShapeMark[];
  regimes: readonly RegimeMark[];
}

/** What a chart library must do for us. The rest of the feature knows only this. */
export interface ChartPort {
  setPlan(plan: Plan): void;
  /** Gives the library a slice of a level. `visible` is in indices of the level; `null` shows the newest candles. */
  setWindow(level: Level, span: Span, visible: Range | null): void;
  /** The last candle of the window changed, or one was added. */
  updateLast(level: Level, row: number): void;
  setLines(lines: readonly ChartLine[]): void;
  setMarkers(markers: readonly ChartMarker[]): void;
  setPatterns(markers: readonly ChartMarker[]): void;
  setStructure(marks: StructureMarks): void;
  /** Visible range in indices of the level last given. */
  visible(): Range | null;
  show(range: Range): void;
  scrollToNewest(): void;
  onVisible(on: (range: Range) => void): void;
  /** Index of the candle under the pointer, `null` when it left. */
  onCrosshair(on: (row: number | null) => void): void;
  onMarkerClick(on: (id: string) => void): void;
  /** Which mark the pointer is at, and where that is; `null` when at none. */
  onMarkerHover(on: (hover: { id: string; x: number; y: number } | null) => void): void;
  /** After every repaint of the price scale: tags follow their prices. */
  onLayout(on: () => void): void;
  yOf(price: number): number | null;
  /** Place of a row of the level on the time axis, between rows and outside of the window too. */
  xOf(row: number): number;
  priceAt(y: number): number | null;
  paneTops(): number[];
  /** A person moved the line between two panes: the new proportions by key. */
  onPanes(on: (weights: Record<string, number>) => void): void;
  axisWidth(): number;
  /** Other colours; what is drawn follows with the next plan. */
  retheme(): void;
  dispose(): void;
}
