import { useEffect, useMemo } from 'react';
import { type Group, useLinks } from '@/lib/links';
import { token } from '@/lib/prefs';
import { isTimed } from './chart.params';
import type { ChartController } from './controller';
import type { ChartMarker } from './port';

const NONE: ChartMarker[] = [];

/** Tells the group what its large chart shows, and goes to a moment that another panel of the group points at. */
export function useJump(chart: ChartController | null, group: Group | null, timeframe: string): ChartMarker[] {
  const setTimeframe = useLinks((s) => s.setTimeframe);
  const jump = useLinks((s) => (group !== null && s.jump?.group === group ? s.jump : null));
  useEffect(() => {
    // What panels beside it analyse is by the clock.
    if (group && isTimed(timeframe)) setTimeframe(group, timeframe);
  }, [group, timeframe, setTimeframe]);
  useEffect(() => {
    if (chart && jump) void chart.goTo(jump.seconds);
  }, [chart, jump]);
  return useMemo(
    () =>
      jump
        ? [{ id: `jump/${jump.nonce}`, time: jump.seconds, kind: 'dot', text: jump.label, color: token('accent') }]
        : NONE,
    [jump],
  );
}
