import type {
  IPrimitivePaneRenderer,
  IPrimitivePaneView,
  ISeriesPrimitive,
  PrimitiveHoveredItem,
  SeriesAttachedParameter,
  Time,
  UTCTimestamp,
} from 'lightweight-charts';
import { token } from '@/lib/prefs';
import { type Level, TIME } from './candleStore';
import type { RegimeMark, ShapeMark, StructureMarks } from './port';
import { lastAtOrBefore, type Span } from './window';

type Target = Parameters<IPrimitivePaneRenderer['draw']>[0];
const NOTHING: StructureMarks = { levels: [], shapes: [], regimes: [] };
/** The strip at the foot of the price. */
const RIBBON = 5;

/** Levels, chart patterns and the regime, behind the candles. */
export class StructureLayer implements ISeriesPrimitive<Time>, IPrimitivePaneView, IPrimitivePaneRenderer {
  #marks = NOTHING;
  #host: SeriesAttachedParameter<Time> | null = null;
  /** What can be pointed at, in the order in which it was drawn. */
  #drawn: ({ id: string } & (Box | Line))[] = [];

  constructor(
    private readonly level: () => Level | null,
    private readonly span: () => Span,
  ) {}

  set(marks: StructureMarks): void {
    this.#marks = marks;
    this.#host?.requestUpdate();
  }
  attached(host: SeriesAttachedParameter<Time>): void {
    this.#host = host;
  }
  detached(): void {
    this.#host = null;
  }
  paneViews(): readonly IPrimitivePaneView[] {
    return [this];
  }
  zOrder(): 'bottom' {
    return 'bottom';
  }
  renderer(): IPrimitivePaneRenderer {
    return this;
  }
  hitTest(x: number, y: number): PrimitiveHoveredItem | null {
    const hit = this.#drawn.findLast((mark) => ('to' in mark ? besides(mark, x, y) : inside(mark, x, y)));
    return hit ? { externalId: hit.id, cursorStyle: 'help', zOrder: 'bottom' } : null;
  }

  /** Where a moment is, also one outside of the window that the library holds. */
  #x(seconds: number): number | null {
    const host = this.#host;
    const times = this.level()?.columns[TIME];
    const { start, end } = this.span();
    if (!host || !times || end <= start) return null;
    const row = Math.max(start, Math.min(end - 1, lastAtOrBefore(times, seconds, end)));
    return host.chart.timeScale().timeToCoordinate((times[row] ?? 0) as UTCTimestamp);
  }

  draw(target: Target): void {
    this.#drawn = [];
    const { levels, shapes, regimes } = this.#marks;
    if (!this.#host || levels.length + shapes.length + regimes.length === 0) return;
    // biome-ignore lint/correctness/useHookAtTopLevel: a drawing call of the chart library, not a React hook
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      context.font = '500 10px "Inter Variable", system-ui, sans-serif';
      for (const regime of regimes) this.#ribbon(context, mediaSize, regime);
      this.#levels(context, mediaSize.width);
      this.#shapes(context, mediaSize.width);
    });
  }

  #ribbon(context: CanvasRenderingContext2D, size: { width: number; height: number }, regime: RegimeMark): void {
    const left = this.#x(regime.from);
    const right = Number.isFinite(regime.to) ? this.#x(regime.to) : size.width;
    if (left === null || right === null || right <= left) return;
    const top = size.height - RIBBON;
    context.globalAlpha = 0.35 + 0.6 * regime.confidence;
    context.fillStyle = regime.color;
    context.fillRect(left, top, right - left - 1, RIBBON);
    context.globalAlpha = 1;
    const inSight = Math.max(0, left);
    if (right - inSight > context.measureText(regime.label).width + 12) {
      context.textAlign = 'left';
      context.textBaseline = 'bottom';
      context.fillText(regime.label, inSight + 4, top - 2);
    }
    this.#drawn.push({ id: regime.id, left, right, top: top - 12, bottom: size.height });
  }

  #levels(context: CanvasRenderingContext2D, width: number): void {
    const series = this.#host?.series;
    for (const level of this.#marks.levels) {
      const left = this.#x(level.since);
      const y = series?.priceToCoordinate(level.price) ?? null;
      const edge = series?.priceToCoordinate(level.price + level.zone) ?? null;
      if (left === null || y === null || edge === null) continue;
      const half = Math.max(1.5, Math.abs(edge - y));
      const from = Math.max(0, left);
      context.fillStyle = level.color;
      context.globalAlpha = 0.05 + 0.11 * level.strength;
      context.fillRect(from, y - half, width - from, 2 * half);
      context.globalAlpha = 0.35 + 0.5 * level.strength;
      context.fillRect(from, Math.round(y), width - from, 1);
      context.globalAlpha = 1;
      context.textAlign = 'right';
      context.textBaseline = 'bottom';
      context.fillText(level.label, width - 6, y - 2);
      this.#drawn.push({
        id: level.id,
        left: from,
        right: width,
        top: y - Math.max(4, half),
        bottom: y + Math.max(4, half),
      });
    }
  }

  #shapes(context: CanvasRenderingContext2D, width: number): void {
    for (const shape of this.#marks.shapes) {
      const way = shape.points.map((point) => this.#place(point)).filter((point) => point !== null);
      context.strokeStyle = shape.color;
      context.fillStyle = shape.color;
      context.globalAlpha = shape.faint ? 0.45 : 0.9;
      this.#stroke(context, shape, way, [], 1.2);
      for (const line of shape.lines) {
        const ends = [this.#place(line.from), this.#place(line.to)].filter((point) => point !== null);
        if (ends.length === 2) this.#stroke(context, shape, ends, [4, 3], 1);
      }
      const broke = shape.broke ? this.#place(shape.broke) : null;
      if (broke) this.#box(shape.id, dot(context, broke, 2.5, true));
      this.#retest(context, shape);
      this.#target(context, shape, width);
      const at = way[Math.floor(way.length / 2)];
      if (at && shape.label) this.#box(shape.id, write(context, shape.label, at.x, at.y - 6, 'center'));
      context.globalAlpha = 1;
    }
  }

  #retest(context: CanvasRenderingContext2D, { id, retest }: ShapeMark): void {
    const at = retest ? this.#place(retest) : null;
    if (!retest || !at) return;
    this.#box(id, dot(context, at, 3.5, false));
    this.#box(id, write(context, retest.label, at.x, at.y + 16, 'center'));
  }

  #target(context: CanvasRenderingContext2D, { id, target, faint }: ShapeMark, width: number): void {
    if (!target) return;
    const from = this.#place(target.from);
    const right = Number.isFinite(target.to.time) ? this.#x(target.to.time) : width;
    if (!from || right === null || right <= 0 || from.x >= width) return;
    strokeThrough(context, [from, { x: right, y: from.y }], [1, 3], 1);
    if (faint) return;
    const end = Math.min(right, width);
    if (Number.isFinite(target.to.time) && right <= width) dot(context, { x: right, y: from.y }, 2.5, true);
    this.#box(id, write(context, target.label, end - 6, from.y - 3, 'right'));
  }

  #place({ time, price }: { time: number; price: number }): Point | null {
    const x = this.#x(time);
    const y = this.#host?.series.priceToCoordinate(price) ?? null;
    return x === null || y === null ? null : { x, y };
  }

  /** Lines of a pattern; a trend line has nothing to say and lets through what lies under it. */
  #stroke(context: CanvasRenderingContext2D, { id, label }: ShapeMark, way: Point[], dash: number[], width: number) {
    strokeThrough(context, way, dash, width);
    if (!label) return;
    for (const [i, to] of way.entries()) {
      const from = way[i - 1];
      if (from) this.#drawn.push({ id, from, to });
    }
  }

  /** Where a mark can be pointed at. */
  #box(id: string, box: Box): void {
    this.#drawn.push({ id, ...box });
  }
}

type Point = { x: number; y: number };
type Box = { left: number; right: number; top: number; bottom: number };
type Line = { from: Point; to: Point };
/** How near to a line the pointer counts as on it. */
const REACH = 4;

const inside = (box: Box, x: number, y: number) => x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
/** Whether a point is within reach of a line. */
function besides({ from, to }: Line, x: number, y: number): boolean {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const along = ((x - from.x) * dx + (y - from.y) * dy) / (dx * dx + dy * dy || 1);
  const at = Math.max(0, Math.min(1, along));
  return Math.hypot(x - from.x - at * dx, y - from.y - at * dy) <= REACH;
}

function strokeThrough(context: CanvasRenderingContext2D, points: readonly Point[], dash: number[], width: number) {
  context.setLineDash(dash);
  context.lineWidth = width;
  context.beginPath();
  for (const [i, point] of points.entries()) context[i === 0 ? 'moveTo' : 'lineTo'](point.x, point.y);
  context.stroke();
  context.setLineDash([]);
}

function dot(context: CanvasRenderingContext2D, { x, y }: Point, radius: number, full: boolean): Box {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  if (full) context.fill();
  else {
    context.lineWidth = 1.2;
    context.stroke();
  }
  return { left: x - 6, right: x + 6, top: y - 6, bottom: y + 6 };
}

/** Words on a ground of the chart's own colour, so that candles behind them do not take them apart. */
function write(
  context: CanvasRenderingContext2D,
  text: string,
  x: number,
  bottom: number,
  align: 'center' | 'right',
): Box {
  const { width } = context.measureText(text);
  const left = align === 'center' ? x - width / 2 : x - width;
  const { fillStyle, globalAlpha } = context;
  context.fillStyle = token('bg1');
  context.globalAlpha = 0.72;
  context.fillRect(left - 3, bottom - 12, width + 6, 13);
  context.globalAlpha = Math.max(globalAlpha, 0.75);
  context.fillStyle = fillStyle;
  context.textAlign = 'left';
  context.textBaseline = 'bottom';
  context.fillText(text, left, bottom);
  context.globalAlpha = globalAlpha;
  return { left: left - 3, right: left + width + 3, top: bottom - 13, bottom: bottom + 1 };
}
