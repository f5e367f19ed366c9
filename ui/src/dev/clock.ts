import { TransportError } from '@/transport/Transport';
import { INSTRUMENTS, priceAt } from './market';

export const now = () => Date.now() / 1000;
export const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
export const start = now();
export const instrument = (id: string) => {
  const found = INSTRUMENTS.find((i) => i.id === id);
  if (!found) throw new TransportError({ code: 'not_found', message: `no instrument ${id}`, retryable: false });
  return found;
};
export const at = (id: string, seconds = now()) => priceAt(id, seconds).toFixed(instrument(id).price_decimals);

/** What changes while the page runs. */
export const state = { halted: false, counter: 10 };
