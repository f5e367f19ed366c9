import type { UseQueryResult } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTopic } from './hooks';

/** Asks again whenever a candle closes; never for no timeframe. */
export function useEachClose(
  instrument: string,
  timeframe: string | null,
  query: Pick<UseQueryResult, 'refetch'>,
): void {
  const [closed, setClosed] = useState(0);
  useTopic('chart', timeframe === null ? null : { instrument, timeframe, set: '' }, ({ data }) => {
    const last = data.closed?.at(-1);
    if (last) setClosed(last.time);
  });
  const refetch = useRef(query.refetch);
  refetch.current = query.refetch;
  useEffect(() => {
    if (closed) void refetch.current();
  }, [closed]);
}
