import type { UseQueryResult } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { type Group, useLinks } from '@/lib/links';
import { useTopic } from '@/transport/hooks';
import { useInstrument } from '@/transport/instruments';

/** What a panel of a group analyses: the symbol and the timeframe of the group's large chart. */
export function useSubject(group: Group) {
  const id = useLinks((s) => s.instrument[group]);
  const timeframe = useLinks((s) => s.timeframe[group]);
  return { id, timeframe, instrument: useInstrument(id) };
}

/** Asks again whenever a candle closes. */
export function useEachClose(instrument: string, timeframe: string, query: Pick<UseQueryResult, 'refetch'>): void {
  const [closed, setClosed] = useState(0);
  useTopic('chart', { instrument, timeframe, set: '' }, ({ data }) => {
    const last = data.closed?.at(-1);
    if (last) setClosed(last.time);
  });
  const refetch = useRef(query.refetch);
  refetch.current = query.refetch;
  useEffect(() => {
    if (closed) void refetch.current();
  }, [closed]);
}
