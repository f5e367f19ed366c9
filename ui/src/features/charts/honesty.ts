import type { Freshness, Provenance, ProvenanceKind, ProvenanceSegment } from '@/bindings';
import { token } from '@/lib/prefs';

/** In the order a legend reads: from what came by itself to what is not there. */
export const KINDS = ['streamed', 'backfilled', 'revised', 'imported', 'simulated', 'gap'] as const;

const COLORS: Record<ProvenanceKind, string> = {
  streamed: 'ok',
  backfilled: 'accent',
  revised: 'warn',
  imported: 'violet',
  simulated: 't3',
  gap: 'crit',
};

/** Silence after which followed data is called stale, in milliseconds; a real market may well be quiet for a while. */
const QUIET_MS: Record<Freshness, number> = {
  live: 60_000,
  simulated: 10_000,
  delayed: Number.POSITIVE_INFINITY,
  stale: 0,
  stored: Number.POSITIVE_INFINITY,
};

/** What a person must not overlook about the data of a chart. */
export function verdictOf(told: Pick<Provenance, 'freshness'>, ageMs: number | null): Freshness {
  return ageMs !== null && ageMs > QUIET_MS[told.freshness] ? 'stale' : told.freshness;
}

export interface Stretch {
  segment: ProvenanceSegment;
  left: number;
  right: number;
}

/**
 * Where the segments lie on the chart's own axis. `xOf` places a moment and may not know it (outside of the window);
 * the ends of the strip stand in for it then.
 */
export function stretchesOf(
  segments: readonly ProvenanceSegment[],
  xOf: (seconds: number) => number,
  width: number,
): Stretch[] {
  const stretches: Stretch[] = [];
  for (const segment of segments) {
    const left = Math.max(0, xOf(Date.parse(segment.from) / 1000));
    const right = Math.min(width, xOf(Date.parse(segment.to) / 1000));
    // A gap of a single candle at a far zoom is still a gap.
    if (right >= 0 && left <= width && right >= left)
      stretches.push({ segment, left, right: Math.max(right, left + 2) });
  }
  return stretches;
}

/** The segment at a place; the later one where two share a pixel, gaps before all else. */
export function at(stretches: readonly Stretch[], x: number): ProvenanceSegment | null {
  const here = stretches.filter((each) => x >= each.left && x <= each.right);
  return (here.find((each) => each.segment.kind === 'gap') ?? here.at(-1))?.segment ?? null;
}

/** Fills a box in the colour and the pattern of a kind, so that either alone tells it. */
export function paintKind(
  context: CanvasRenderingContext2D,
  kind: ProvenanceKind,
  box: { left: number; top: number; width: number; height: number },
): void {
  const { left, top, width, height } = box;
  const color = token(COLORS[kind]);
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  context.fillStyle = color;
  context.strokeStyle = color;
  context.lineWidth = 1;
  const full = kind === 'streamed' || kind === 'revised';
  context.globalAlpha = full ? 0.9 : 0.28;
  context.fillRect(left, top, width, height);
  context.globalAlpha = 1;
  if (kind === 'backfilled' || kind === 'gap') slant(context, box, 5, 1);
  if (kind === 'gap') slant(context, box, 5, -1);
  if (kind === 'imported')
    for (let x = left - (left % 4); x < left + width; x += 4) context.fillRect(x, top, 1, height);
  if (kind === 'simulated') context.fillRect(left, top + height / 2 - 0.5, width, 1);
  if (kind === 'revised') {
    context.fillStyle = token('bg1');
    for (let x = left - (left % 5) + 2; x < left + width; x += 5) context.fillRect(x, top + height / 2 - 1, 2, 2);
  }
  context.restore();
}

function slant(
  context: CanvasRenderingContext2D,
  { left, top, width, height }: { left: number; top: number; width: number; height: number },
  every: number,
  way: 1 | -1,
): void {
  context.beginPath();
  for (let x = left - (left % every) - height; x < left + width + height; x += every) {
    context.moveTo(x, way > 0 ? top + height : top);
    context.lineTo(x + height, way > 0 ? top : top + height);
  }
  context.stroke();
}
