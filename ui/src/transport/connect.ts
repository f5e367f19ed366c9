import { HttpTransport } from './HttpTransport';
import { insideTauri, TauriTransport } from './TauriTransport';
import type { Transport } from './Transport';

/** Takes the one-time pairing code out of the address, so that it stays neither in the bar nor in the history. */
export function takePairingCode(location: Location, history: History): string | null {
  const code = new URLSearchParams(location.hash.slice(1)).get('pair');
  if (code) history.replaceState(null, '', location.pathname + location.search);
  return code;
}

/** Finds the engine this page belongs to: the shell's own, the server it came from, or a made-up market in development. */
export async function connect(): Promise<Transport> {
  if (import.meta.env.MODE === 'mock') {
    const { developmentTransport } = await import('@/dev/engine');
    return developmentTransport();
  }
  if (insideTauri()) return TauriTransport.connect();
  const transport = new HttpTransport();
  await transport.start(takePairingCode(window.location, window.history));
  return transport;
}
