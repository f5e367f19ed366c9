import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { quantity } from '@/lib/format';
import { token } from '@/lib/prefs';
import type { Decision, Fill } from '@/transport/types';
import type { ChartController } from './controller';
import type { ChartMarker } from './port';

/** Fills as arrows, decisions that did not trade as dots. */
export function useMarkers(
  chart: ChartController | null,
  instrument: string,
  fills: readonly Fill[],
  decisions: readonly Decision[],
  more: readonly ChartMarker[],
  theme: string,
): void {
  const { t } = useTranslation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: `theme` decides what the colour tokens are
  useEffect(() => {
    if (!chart) return;
    const markers: ChartMarker[] = [...more];
    for (const fill of fills)
      if (fill.instrument === instrument)
        markers.push({
          id: fill.id,
          time: Date.parse(fill.event_time) / 1000,
          kind: fill.side,
          text: `${t(fill.side === 'buy' ? 'side.Buy' : 'side.Sell')} ${quantity(fill.qty)}`,
          color: token(fill.side === 'buy' ? 'up' : 'down'),
        });
    for (const decision of decisions)
      if (decision.instrument === instrument && (decision.verdict === 'skip' || decision.verdict === 'block'))
        markers.push({
          id: decision.id,
          time: Date.parse(decision.time) / 1000,
          kind: 'dot',
          text: t(`verdict.${decision.verdict}`),
          color: token(decision.verdict === 'block' ? 'warn' : 'violet'),
        });
    chart.port.setMarkers(markers);
  }, [chart, instrument, fills, decisions, more, theme, t]);
}
