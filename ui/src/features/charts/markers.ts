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
import { HIGH, type Level, LOW, TIME } from './candleStore';
import type { ChartMarker } from './port';
import { lastAtOrBefore, type Span } from './window';

type Target = Parameters<IPrimitivePaneRenderer['draw']>[0];
const SIZE = 5;

const isPattern = ({ kind }: ChartMarker) => kind === 'bull' || kind === 'bear' || kind === 'plain';

/** A small sign whose shape tells the side as well as its colour does. */
function drawPattern(
  context: CanvasRenderingContext2D,
  marker: ChartMarker,
  x: number,
  tip: number,
  way: number,
): void {
  context.fillStyle = marker.color;
  context.beginPath();
  if (marker.kind === 'plain') context.arc(x, tip + way * 2, 1.8, 0, 2 * Math.PI);
  else {
    context.moveTo(x, tip - way * 1);
    context.lineTo(x + 3.5, tip + way * 4);
    context.lineTo(x - 3.5, tip + way * 4);
  }
  context.closePath();
  context.fill();
  if (marker.text === '') return;
  context.textBaseline = way > 0 ? 'top' : 'bottom';
  context.font = '500 9px "Inter Variable", system-ui, sans-serif';
  context.fillText(marker.text, x, tip + way * 5);
}

const FLAG = 14;

/** A letter in a box at the head of the pane, with a thread down to its candle. */
function drawFlag(context: CanvasRenderingContext2D, marker: ChartMarker, x: number, tip: number): number {
  const top = Math.min(60, tip - FLAG);
  context.globalAlpha = 0.5;
  context.fillStyle = marker.color;
  context.fillRect(Math.round(x), top + FLAG, 1, Math.max(0, tip - top - FLAG));
  context.globalAlpha = 1;
  context.beginPath();
  context.roundRect(x - FLAG / 2, top, FLAG, FLAG, 3);
  context.fill();
  context.fillStyle = token('axis-ink');
  context.font = '600 10px "Inter Variable", system-ui, sans-serif';
  context.textBaseline = 'middle';
  context.fillText(marker.text, x, top + FLAG / 2 + 0.5);
  return top + FLAG / 2;
}

/**
 * Our fills and decisions on the price. Markers are sorted by time and only those in sight are looked at, so a
 * thousand of them cost what ten cost.
 */
export class MarkerLayer implements ISeriesPrimitive<Time>, IPrimitivePaneView, IPrimitivePaneRenderer {
  onPaint: () => void = () => {};
  #markers: ChartMarker[] = [];
  #times: number[] = [];
  #host: SeriesAttachedParameter<Time> | null = null;
  #drawn: { id: string; x: number; y: number }[] = [];

  constructor(
    private readonly level: () => Level | null,
    private readonly span: () => Span,
  ) {}

  set(markers: readonly ChartMarker[]): void {
    this.#markers = [...markers].sort((a, b) => a.time - b.time);
    this.#times = this.#markers.map((m) => m.time);
    this.#host?.requestUpdate();
  }

  attached(host: SeriesAttachedParameter<Time>): void {
    this.#host = host;
  }
  detached(): void {
    this.#host = null;
  }
  updateAllViews(): void {
    this.onPaint();
  }
  paneViews(): readonly IPrimitivePaneView[] {
    return [this];
  }
  zOrder(): 'top' {
    return 'top';
  }
  renderer(): IPrimitivePaneRenderer {
    return this;
  }

  hitTest(x: number, y: number): PrimitiveHoveredItem | null {
    const hit = this.#drawn.find((m) => Math.abs(m.x - x) < 9 && Math.abs(m.y - y) < 12);
    return hit ? { externalId: hit.id, cursorStyle: 'pointer', zOrder: 'top' } : null;
  }

  draw(target: Target): void {
    const host = this.#host;
    const level = this.level();
    this.#drawn = [];
    if (!host || !level || this.#markers.length === 0) return;
    const times = level.columns[TIME];
    const range = host.chart.timeScale().getVisibleLogicalRange();
    if (!times || !range) return;
    const span = this.span();
    const firstRow = Math.max(span.start, Math.floor(range.from) + span.start);
    const lastRow = Math.min(span.end - 1, Math.ceil(range.to) + span.start);
    const from = lastAtOrBefore(this.#times, (times[firstRow] ?? 0) - 1e-9) + 1;
    const lastTime = lastRow >= level.rows - 1 ? Number.POSITIVE_INFINITY : (times[lastRow + 1] ?? 0);

    // biome-ignore lint/correctness/useHookAtTopLevel: a drawing call of the chart library, not a React hook
    target.useMediaCoordinateSpace(({ context }) => {
      context.font = '500 11px "Inter Variable", system-ui, sans-serif';
      context.textAlign = 'center';
      for (let i = from; i < this.#markers.length; i++) {
        const marker = this.#markers[i];
        if (!marker || marker.time >= lastTime) break;
        const row = lastAtOrBefore(times, marker.time, level.rows);
        const x = host.chart.timeScale().timeToCoordinate((times[row] ?? 0) as UTCTimestamp);
        const below = marker.kind === 'buy' || marker.kind === 'bull';
        const anchor = below ? level.columns[LOW]?.[row] : level.columns[HIGH]?.[row];
        const y = anchor === undefined ? null : host.series.priceToCoordinate(anchor);
        if (x === null || y === null) continue;
        const tip = below ? y + 6 : y - 6;
        const way = below ? 1 : -1;
        if (isPattern(marker)) {
          drawPattern(context, marker, x, tip, way);
          this.#drawn.push({ id: marker.id, x, y: tip + way * 2 });
          continue;
        }
        if (marker.kind === 'flag') {
          this.#drawn.push({ id: marker.id, x, y: drawFlag(context, marker, x, tip) });
          context.font = '500 11px "Inter Variable", system-ui, sans-serif';
          continue;
        }
        context.fillStyle = marker.color;
        context.beginPath();
        if (marker.kind === 'dot') context.arc(x, tip + way * SIZE, SIZE - 0.5, 0, 2 * Math.PI);
        else {
          context.moveTo(x, tip);
          context.lineTo(x + SIZE, tip + way * SIZE);
          context.lineTo(x + 2, tip + way * SIZE);
          context.lineTo(x + 2, tip + way * SIZE * 2);
          context.lineTo(x - 2, tip + way * SIZE * 2);
          context.lineTo(x - 2, tip + way * SIZE);
          context.lineTo(x - SIZE, tip + way * SIZE);
        }
        context.fill();
        context.textBaseline = below ? 'top' : 'bottom';
        context.fillText(marker.text, x, tip + way * (SIZE * 2 + 3));
        this.#drawn.push({ id: marker.id, x, y: tip + way * SIZE });
      }
    });
  }
}
