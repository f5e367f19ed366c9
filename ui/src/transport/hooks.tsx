import { type UseQueryOptions, useMutation, useQuery } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useRef, useSyncExternalStore } from 'react';
import type { LinkStatus, Transport, TransportError } from './Transport';
import type { Args, Batch, CommandName, Params, Result, Topic } from './types';

const TransportContext = createContext<Transport | null>(null);

export function TransportProvider({ transport, children }: { transport: Transport; children: ReactNode }) {
  return <TransportContext value={transport}>{children}</TransportContext>;
}

export function useTransport(): Transport {
  const transport = useContext(TransportContext);
  if (!transport) throw new Error('a component asks for the engine outside of TransportProvider');
  return transport;
}

export function useLinkStatus(): LinkStatus {
  const { status } = useTransport();
  return useSyncExternalStore(
    (on) => status.subscribe(on),
    () => status.value,
  );
}

/** A question, cached under `[command, args]`. */
export function useCommand<C extends CommandName, T = Result<C>>(
  command: C,
  args: Args<C>,
  options?: Omit<UseQueryOptions<Result<C>, TransportError, T>, 'queryKey' | 'queryFn'>,
) {
  const transport = useTransport();
  return useQuery<Result<C>, TransportError, T>({
    queryKey: [command, args],
    queryFn: ({ signal }) => transport.call(command, args, { signal }),
    ...options,
  });
}

/** Something that changes the engine's state. */
export function useAction<C extends CommandName>(command: C) {
  const transport = useTransport();
  return useMutation<Result<C>, TransportError, Args<C>>({ mutationFn: (args) => transport.call(command, args) });
}

/** A topic for as long as the component is mounted. `params` are compared by value. */
export function useTopic<T extends Topic>(
  topic: T,
  params: Params<T> | null,
  on: (batch: Batch<T>) => void,
  onError?: (error: TransportError) => void,
): void {
  const transport = useTransport();
  const handler = useRef(on);
  const errorHandler = useRef(onError);
  handler.current = on;
  errorHandler.current = onError;
  const key = params === null ? null : JSON.stringify(params);
  useEffect(() => {
    if (key === null) return;
    return transport.subscribe(
      topic,
      JSON.parse(key),
      (batch) => handler.current(batch),
      (error) => errorHandler.current?.(error),
    );
  }, [transport, topic, key]);
}
