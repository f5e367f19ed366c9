import { useCommand } from './hooks';
import type { Instrument } from './types';

const NONE: Instrument[] = [];

export function useInstruments(): Instrument[] {
  return useCommand('symbols.list', {}, { staleTime: 60_000 }).data?.instruments ?? NONE;
}

export function useInstrument(id: string | null | undefined): Instrument | undefined {
  return useInstruments().find((each) => each.id === id);
}

/** `BTC-PERP.SIM` → `BTC-PERP`, for a row whose instrument is not in the list. */
export const symbolOf = (id: string): string => id.replace(/\.[^.]*$/, '');
export const venueOf = (id: string): string => /\.([^.]*)$/.exec(id)?.[1] ?? '';
