import { useQuery } from '@tanstack/react-query';
import type { TFunction } from 'i18next';
import { useEffect, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { ChartPatternView, LineView, RegimeView, StructureView } from '@/bindings';
import * as fmt from '@/lib/format';
import { token } from '@/lib/prefs';
import { useEachClose } from '@/transport/closes';
import { useCommand, useTransport } from '@/transport/hooks';
import type { ChartController } from './controller';
import { type Layers, NO_NOTES, type Note, type Notes } from './layers';
import type { LevelMark, RegimeMark, ShapeMark, Stroke } from './port';

/** How many changes of the regime are followed back. */
const REGIMES = 12;
const LEVELS = 8;
const SHAPES = 6;
const TREND = { up: 'up', down: 'down', range: 't3' } as const;

const seconds = (time: string) => Date.parse(time) / 1000;
const stroke = (line: LineView): Stroke => ({
  from: { time: seconds(line.from_time), price: line.from_price },
  to: { time: seconds(line.to_time), price: line.to_price },
});
const sideColor = (shape: ChartPatternView) => (shape.side === 'up' ? 'up' : shape.side === 'down' ? 'down' : 'violet');

/** When the candle before one that the chart has began: between two sessions there is none right before it. */
function candleBefore(chart: ChartController, time: number): string | undefined {
  let row = chart.store.rows - 1;
  while (row >= 0 && chart.store.time(row) * 1000 >= time) row -= 1;
  return row < 0 ? undefined : new Date(chart.store.time(row) * 1000).toISOString();
}

/** Waits until a chart has candles, or nobody wants them any more. */
function candlesOf(chart: ChartController, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (chart.store.rows > 0) return resolve();
    const done = () => {
      stop();
      resolve();
    };
    const stop = chart.watchView(() => chart.store.rows > 0 && done());
    signal.addEventListener('abort', done, { once: true });
  });
}

/** The regime now and those before it, newest first: each answer names the candle since which it holds. */
function useRegimes(chart: ChartController | null, instrument: string, timeframe: string, now: RegimeView | undefined) {
  const transport = useTransport();
  const query = useQuery({
    queryKey: ['structure.get', 'regimes', instrument, timeframe, now?.since],
    enabled: now !== undefined && chart !== null,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => {
      const before: RegimeView[] = [];
      if (!chart) return before;
      await candlesOf(chart, signal);
      let since = now?.since;
      while (since && before.length < REGIMES) {
        const at = candleBefore(chart, Date.parse(since));
        if (!at) break;
        const { regime } = await transport.call('structure.get', { instrument, timeframe, at }, { signal });
        if (!regime || Date.parse(regime.since) >= Date.parse(since)) break;
        before.push(regime);
        since = regime.since;
      }
      return before;
    },
  });
  return useMemo(() => (now ? [now, ...(query.data ?? [])] : []), [now, query.data]);
}

/** Draws support and resistance, chart patterns, trend lines and the regime; answers what each mark says. */
export function useStructure(
  chart: ChartController | null,
  instrument: string,
  timeframe: string,
  layers: Layers,
  decimals: number,
  theme: string,
): Notes {
  const { t } = useTranslation();
  const enabled = layers.levels || layers.shapes || layers.regime;
  const query = useCommand('structure.get', { instrument, timeframe }, { enabled, staleTime: 10_000 });
  useEachClose(instrument, enabled ? timeframe : null, query);
  const view: StructureView | undefined = enabled ? query.data : undefined;
  const regimes = useRegimes(chart, instrument, timeframe, layers.regime ? view?.regime : undefined);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `theme` decides what the colour tokens are
  const drawn = useMemo(() => {
    const notes = new Map<string, Note>();
    const levels = (layers.levels ? (view?.levels ?? []) : []).slice(0, LEVELS).map((level): LevelMark => {
      const id = `level/${level.id}`;
      const side = t(`layers.${level.side}`);
      notes.set(id, {
        title: `${side} ${fmt.price(level.price, decimals)}`,
        lines: [
          t('layers.levelNote', {
            touches: level.touches,
            breaks: level.breaks,
            strength: fmt.percent(level.strength),
            age: fmt.integer(level.age),
          }),
          t('layers.lastTouch', { time: fmt.dateMinutes(level.last_touch) }),
        ],
      });
      return {
        id,
        since: seconds(level.first_touch),
        price: level.price,
        zone: level.zone,
        color: token(level.side === 'support' ? 'up' : 'down'),
        strength: level.strength,
        label: `${side} ${level.touches}×`,
      };
    });
    const shapes: ShapeMark[] = [];
    if (layers.shapes && view) {
      for (const shape of view.patterns.slice(-SHAPES)) {
        const id = `shape/${shape.id}`;
        const name = kindName(shape.kind);
        notes.set(id, {
          title: `${name}: ${t(`layers.status.${shape.status}`)}`,
          lines: [
            t('layers.formed', { time: fmt.dateMinutes(shape.formed_at) }),
            ...(shape.break_price === undefined
              ? []
              : [t('layers.broke', { price: fmt.price(shape.break_price, decimals) })]),
            ...(shape.target === undefined ? [] : [t('layers.target', { price: fmt.price(shape.target, decimals) })]),
            ...(shape.retested_at === undefined
              ? []
              : [t('layers.retested', { time: fmt.dateMinutes(shape.retested_at) })]),
            ...(shape.target_reached_at === undefined
              ? []
              : [t('layers.reached', { time: fmt.dateMinutes(shape.target_reached_at) })]),
          ],
        });
        shapes.push({
          id,
          color: token(sideColor(shape)),
          points: shape.points.map((point) => ({ time: seconds(point.time), price: point.price })),
          lines: [shape.above, shape.below].filter((line) => line !== undefined).map(stroke),
          ...outcomeOf(shape, decimals, t),
          label: name,
          faint: shape.status === 'failed' || shape.status === 'broken',
        });
      }
      for (const [i, trend] of view.trend_lines.entries()) {
        const id = `trend/${i}`;
        const line = stroke(trend.line);
        shapes.push({ id, color: token('t2'), points: [line.from, line.to], lines: [], label: '', faint: false });
      }
    }
    const ribbon = regimes.map((regime, i): RegimeMark => {
      const id = `regime/${i}`;
      const name = t('layers.regimeName', {
        trend: t(`layers.trend.${regime.trend}`),
        volatility: t(`layers.volatility.${regime.volatility}`),
      });
      notes.set(id, {
        title: `${name} · ${fmt.percent(regime.confidence)}`,
        lines: [
          t('layers.since', { time: fmt.dateMinutes(regime.since) }),
          ...regime.reasons.map((reason) =>
            t('layers.reason', {
              feature: t(`layers.feature.${reason.feature}` as 'layers.feature.adx', reason.feature),
              value: fmt.reading(reason.value),
              adds: fmt.change(String(reason.adds)),
            }),
          ),
        ],
      });
      const next = regimes[i - 1];
      return {
        id,
        from: seconds(regime.since),
        to: next ? seconds(next.since) : Number.POSITIVE_INFINITY,
        color: token(TREND[regime.trend]),
        confidence: regime.confidence,
        label: name,
      };
    });
    return { marks: { levels, shapes, regimes: ribbon }, notes };
  }, [view, regimes, layers, decimals, theme, t]);

  useEffect(() => {
    chart?.port.setStructure(drawn.marks);
  }, [chart, drawn]);
  return enabled ? drawn.notes : NO_NOTES;
}

/** What became of a pattern whose line broke: the break, the way back to it, and how far it should go. */
export function outcomeOf(
  shape: ChartPatternView,
  decimals: number,
  t: TFunction,
): Pick<ShapeMark, 'broke' | 'retest' | 'target'> {
  const { confirmed_at, break_price, retested_at, target, target_reached_at, ended_at } = shape;
  if (confirmed_at === undefined || break_price === undefined) return {};
  const broke = { time: seconds(confirmed_at), price: break_price };
  const until = target_reached_at ?? ended_at;
  const to = until === undefined ? Number.POSITIVE_INFINITY : seconds(until);
  const word = target_reached_at === undefined ? 'layers.targetMark' : 'layers.targetReachedMark';
  return {
    broke,
    ...(retested_at === undefined
      ? {}
      : { retest: { time: seconds(retested_at), price: break_price, label: t('layers.retestMark') } }),
    ...(target === undefined
      ? {}
      : {
          target: {
            from: { time: broke.time, price: target },
            to: { time: to, price: target },
            label: t(word, { price: fmt.price(target, decimals) }),
          },
        }),
  };
}

/** `head_and_shoulders` → `Head and shoulders`. */
export const kindName = (kind: string) => {
  const words = kind.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
};
