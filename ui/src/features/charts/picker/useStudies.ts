import { useMemo } from 'react';
import type { ChartParams } from '../chart.params';
import { freeColor } from '../studies';
import { canonical, type Study } from '../study';

/** What may be done to the studies of a chart; every change is in the layout at once. */
export function useStudies(studies: Study[], setParams: (change: Partial<ChartParams>) => void) {
  return useMemo(
    () => ({
      /** Its place: that of the same one where it is already there. */
      add(text: string): number {
        const written = canonical(text);
        const known = studies.findIndex((study) => study.text === written);
        if (known >= 0) return known;
        setParams({ studies: [...studies, { text: written, color: freeColor(studies) }] });
        return studies.length;
      },
      change(index: number, change: Partial<Study>): void {
        setParams({ studies: studies.map((study, i) => (i === index ? { ...study, ...change } : study)) });
      },
      remove(index: number): void {
        setParams({ studies: studies.filter((_, i) => i !== index) });
      },
      /** Panes stand in the order of the studies. */
      move(index: number, by: 1 | -1): void {
        const other = studies[index + by];
        const moved = studies[index];
        if (!other || !moved) return;
        setParams({ studies: studies.map((each, i) => (i === index ? other : i === index + by ? moved : each)) });
      },
    }),
    [studies, setParams],
  );
}
export type StudyActions = ReturnType<typeof useStudies>;
