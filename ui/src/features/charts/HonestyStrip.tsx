import type { TFunction } from 'i18next';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Freshness, Provenance, ProvenanceSegment } from '@/bindings';
import { Chip } from '@/kit/Chip';
import { cx } from '@/kit/cx';
import { type Status, StatusDot } from '@/kit/StatusDot';
import * as fmt from '@/lib/format';
import { nextFrame } from '@/lib/frame';
import { useEachClose } from '@/transport/closes';
import { useCommand } from '@/transport/hooks';
import { venueOf } from '@/transport/instruments';
import { isTimed } from './chart.params';
import type { ChartController } from './controller';
import { at, paintKind, type Stretch, stretchesOf, verdictOf } from './honesty';
import { SourceLegend } from './SourceLegend';

const HEIGHT = 6;
const SIMULATED = 'SIM';
const STATUS: Record<Freshness, Status> = {
  live: 'ok',
  delayed: 'degraded',
  stale: 'down',
  stored: 'off',
  simulated: 'off',
};
const NONE: ProvenanceSegment[] = [];

/** Under every chart: where each candle came from, who is asked, and how old the newest word of it is. */
export function HonestyStrip({
  chart,
  instrument,
  timeframe,
  compact,
  theme,
}: {
  chart: ChartController;
  instrument: string;
  timeframe: string;
  compact: boolean;
  theme: string;
}) {
  const { t } = useTranslation();
  const from = useFirstCandle(chart);
  // A market that this program makes has one source; asking would have it made again for the whole range.
  const simulated = venueOf(instrument) === SIMULATED;
  // What is kept of a candle's source is kept of those by the clock.
  const timed = isTimed(timeframe);
  const query = useCommand(
    'data.provenance',
    { instrument, timeframe, ...(from === null ? {} : { from: new Date(from * 1000).toISOString() }) },
    { enabled: from !== null && !simulated && timed, refetchInterval: 10_000, placeholderData: (old) => old },
  );
  useEachClose(instrument, simulated || !timed ? null : timeframe, query);
  const made = useMemo(
    () => (simulated && from !== null ? simulatedSource(instrument, timeframe, from, chart.store.rows) : undefined),
    [simulated, instrument, timeframe, from, chart],
  );
  const asked = query.data?.instrument === instrument && query.data.timeframe === timeframe ? query.data : undefined;
  const told = simulated ? made : asked;
  const age = useAge(chart, told);
  const freshness = told ? verdictOf(told, age) : null;
  const ageText = age === null ? null : fmt.age(age);
  return (
    <div
      role="group"
      aria-label={t('honesty.title')}
      data-freshness={freshness ?? 'unknown'}
      className="flex shrink-0 flex-col border-t border-line bg-bg1"
    >
      <Band chart={chart} segments={told?.segments ?? NONE} theme={theme} />
      <div className="flex h-5 items-center gap-2 px-2.5 text-xs whitespace-nowrap text-t2">
        {told && freshness ? (
          <>
            <div className="flex min-w-0 flex-1 items-center gap-2 overflow-hidden">
              <StatusDot status={STATUS[freshness]} />
              <span className="font-medium text-t1">{told.provider}</span>
              <span className={cx(freshness === 'stale' && 'font-semibold text-warn')}>
                {t(`honesty.freshness.${freshness}`)}
              </span>
              {chart.store.catchingUp ? (
                <span role="status" className="font-medium text-warn">
                  {t('honesty.catchingUp', { venue: venueOf(instrument) })}
                </span>
              ) : null}
              {told.notice ? (
                <span title={told.notice} className="inline-flex">
                  <Chip tone="warn">
                    {noticeWords(told.notice)
                      .map((word) => t(`honesty.notice.${word}`))
                      .join(' · ')}
                  </Chip>
                </span>
              ) : null}
              {ageText ? <span className="live">{t('honesty.age', { age: ageText })}</span> : null}
              {compact ? null : <Counts told={told} />}
            </div>
            <SourceLegend told={told} theme={theme} />
          </>
        ) : (
          <span>{sourceText(timed, chart, query.error, t)}</span>
        )}
      </div>
    </div>
  );
}

/** In place of what is not known candle by candle, or not yet. */
function sourceText(timed: boolean, chart: ChartController, error: { message: string } | null, t: TFunction): string {
  if (!timed) return t('honesty.ofTrades', { provider: chart.store.provider });
  return error ? t('honesty.unknown', { message: error.message }) : t('honesty.asking');
}

/** What is known of a simulated market without asking: all of it is made here. */
function simulatedSource(instrument: string, timeframe: string, from: number, candles: number): Provenance {
  const range = { from: new Date(from * 1000).toISOString(), to: new Date().toISOString() };
  return {
    instrument,
    timeframe,
    provider: SIMULATED,
    freshness: 'simulated',
    gap_count: 0,
    revised_count: 0,
    segments: [{ ...range, kind: 'simulated', provider: SIMULATED, candles }],
  };
}

/** The badge of a notice; what does not say either is just something to know. */
export function noticeWords(notice: string): ('delayed' | 'unofficial' | 'notice')[] {
  const words = notice.toLowerCase();
  const found = [
    ...(words.includes('delay') ? (['delayed'] as const) : []),
    ...(words.includes('unofficial') ? (['unofficial'] as const) : []),
  ];
  return found.length ? found : ['notice'];
}

function Counts({ told }: { told: Provenance }) {
  const { t } = useTranslation();
  return (
    <>
      {told.adjustment ? <span>{t(`honesty.adjustment.${told.adjustment}`)}</span> : null}
      {told.gap_count > 0 ? <span className="text-crit">{t('honesty.gaps', { count: told.gap_count })}</span> : null}
      {told.revised_count > 0 ? (
        <span className="text-warn">{t('honesty.revised', { count: told.revised_count })}</span>
      ) : null}
    </>
  );
}

/** Open time of the oldest candle the chart holds, in seconds: the strip is about the same stretch. */
function useFirstCandle(chart: ChartController): number | null {
  const [first, setFirst] = useState<number | null>(null);
  useEffect(() => {
    const look = () => setFirst(chart.store.rows > 0 ? chart.store.time(0) : null);
    look();
    return chart.watchView(look);
  }, [chart]);
  return first;
}

/** Time since the newest word of this market, in milliseconds. */
function useAge(chart: ChartController, told: Provenance | undefined): number | null {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  const heard = chart.heardAt === 0 ? null : performance.now() - chart.heardAt;
  const known = told?.last_update === undefined ? null : Math.max(0, now - Date.parse(told.last_update));
  const ages = [heard, known].filter((each) => each !== null);
  return ages.length ? Math.min(...ages) : null;
}

function Band({
  chart,
  segments,
  theme,
}: {
  chart: ChartController;
  segments: readonly ProvenanceSegment[];
  theme: string;
}) {
  const { t } = useTranslation();
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawn = useRef<Stretch[]>([]);
  const [hover, setHover] = useState<{ x: number; segment: ProvenanceSegment } | null>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `theme` decides what the colour tokens are
  const paint = useCallback(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context) return;
    const width = element.clientWidth;
    const scale = window.devicePixelRatio || 1;
    if (element.width !== Math.round(width * scale)) element.width = Math.round(width * scale);
    if (element.height !== HEIGHT * scale) element.height = HEIGHT * scale;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, HEIGHT);
    drawn.current = stretchesOf(segments, (seconds) => chart.xOfTime(seconds), width - chart.port.axisWidth());
    for (const { segment, left, right } of drawn.current)
      paintKind(context, segment.kind, { left, top: 0, width: right - left, height: HEIGHT });
  }, [chart, segments, theme]);

  useEffect(() => {
    paint();
    const again = () => nextFrame(paint);
    const stop = chart.watchView(again);
    const resized = new ResizeObserver(again);
    if (canvas.current) resized.observe(canvas.current);
    return () => {
      stop();
      resized.disconnect();
    };
  }, [chart, paint]);

  const summary = useMemo(
    () => segments.map((segment) => sentence(segment, t)).join('. ') || t('honesty.nothing'),
    [segments, t],
  );
  return (
    <div className="relative">
      <canvas
        ref={canvas}
        role="img"
        aria-label={summary}
        className="block h-[6px] w-full"
        onMouseMove={(event) => {
          const x = event.clientX - event.currentTarget.getBoundingClientRect().left;
          const segment = at(drawn.current, x);
          setHover(segment ? { x, segment } : null);
        }}
        onMouseLeave={() => setHover(null)}
      />
      {hover ? (
        <p
          role="tooltip"
          style={{ left: hover.x }}
          className="pointer-events-none absolute bottom-3 z-20 max-w-96 -translate-x-1/2 rounded-sm border border-line bg-bg2 px-2 py-1 text-xs whitespace-nowrap shadow-(--shadow)"
        >
          {sentence(hover.segment, t)}
        </p>
      ) : null}
    </div>
  );
}

/** `Backfilled from ALPACA:iex, Jan 03, 2026, 10:00 – Jan 03, 2026, 14:30 UTC, 18 candles`. */
export function sentence(segment: ProvenanceSegment, t: TFunction): string {
  const range = `${fmt.dateMinutes(segment.from)} – ${fmt.dateMinutes(segment.to)} UTC`;
  const count = t('honesty.count', { count: segment.candles });
  const kind = t(`honesty.kind.${segment.kind}`);
  const source = segment.provider ? t('honesty.from', { kind, provider: segment.provider }) : kind;
  const words = `${source}, ${range}, ${count}`;
  return segment.reason ? `${words}: ${segment.reason}` : words;
}
