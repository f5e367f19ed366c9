import { useEffect, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { token } from '@/lib/prefs';
import { useEachClose } from '@/transport/closes';
import { useCommand } from '@/transport/hooks';
import type { ChartController } from './controller';
import { type Layers, NO_NOTES, type Notes } from './layers';
import { marksOf, type Side } from './patterns';

/** As many candles as a chart holds at first. */
const SCANNED = 1_000;
const COLORS: Record<Side, string> = { bull: 'up', bear: 'down', plain: 't2' };

/** Marks the candlestick patterns that pass the filter; answers what each mark says. */
export function usePatterns(
  chart: ChartController | null,
  instrument: string,
  timeframe: string,
  layers: Layers,
  theme: string,
): Notes {
  const { t } = useTranslation();
  const enabled = layers.patterns;
  const known = useCommand('patterns.list', {}, { enabled, staleTime: Number.POSITIVE_INFINITY }).data?.patterns;
  const query = useCommand('patterns.scan', { instrument, timeframe, limit: SCANNED }, { enabled, staleTime: 10_000 });
  useEachClose(instrument, enabled ? timeframe : null, query);
  const hits = enabled ? query.data?.hits : undefined;
  const marks = useMemo(() => marksOf(hits ?? [], known ?? [], layers), [hits, known, layers]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `theme` decides what the colour tokens are
  useEffect(() => {
    chart?.port.setPatterns(
      marks.map((mark) => ({
        id: mark.id,
        time: mark.time,
        kind: mark.side,
        text: mark.hits.length > 1 ? String(mark.hits.length) : '',
        color: token(COLORS[mark.side]),
      })),
    );
  }, [chart, marks, theme]);
  return useMemo(() => {
    if (marks.length === 0) return NO_NOTES;
    return new Map(
      marks.map((mark) => [
        mark.id,
        {
          title: t(`layers.side.${mark.side}`),
          lines: mark.hits.map(
            ({ info, signal }) => `${info.title} (${signal > 0 ? '+' : '−'}${Math.abs(signal)}): ${info.doc}`,
          ),
        },
      ]),
    );
  }, [marks, t]);
}
