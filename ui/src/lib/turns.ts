import { useLayoutEffect, useSyncExternalStore } from 'react';

/**
 * Who is drawn first when the program starts: one chart, then everything else. The chart is what a trader looks for,
 * and the other panels cost as much again before it could show.
 */
const LONGEST_WAIT_MS = 600;

let leader: string | null = null;
let over = false;
const listeners = new Set<() => void>();

/** From here on every panel is drawn at once: the first chart is on the screen, has failed, or there is none. */
export function endTurns(): void {
  if (over) return;
  over = true;
  for (const listener of listeners) listener();
}

/** Only for tests: a program that has just started. */
export function resetTurns(): void {
  leader = null;
  over = false;
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
const isOver = () => over;

/** Whether a panel may be drawn now. The first chart that asks leads. */
export function useTurn(kind: string, id: string): boolean {
  const done = useSyncExternalStore(subscribe, isOver);
  if (!done && kind === 'chart') leader ??= id;
  useLayoutEffect(() => {
    if (done) return;
    const timer = setTimeout(endTurns, LONGEST_WAIT_MS);
    return () => clearTimeout(timer);
  }, [done]);
  return done || leader === id;
}
