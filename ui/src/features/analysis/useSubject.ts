import { type Group, useLinks } from '@/lib/links';
import { useInstrument } from '@/transport/instruments';

/** What a panel of a group analyses: the symbol and the timeframe of the group's large chart. */
export function useSubject(group: Group) {
  const id = useLinks((s) => s.instrument[group]);
  const timeframe = useLinks((s) => s.timeframe[group]);
  return { id, timeframe, instrument: useInstrument(id) };
}
