import { lazy } from 'react';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000;
/** Somewhat more than two minutes: who waits longer is told. */
const TRIES = 20;

/**
 * `lazy` for chunks that the engine serves: one that cannot be fetched while the engine is away is asked for again. React
 * would keep the failure, and the panel would stay broken until the page is loaded anew.
 */
export const lazily = ((load) => lazy(() => patiently(load))) as typeof lazy;

export async function patiently<T>(load: () => Promise<T>): Promise<T> {
  let wait = FIRST_WAIT_MS;
  for (let tries = 1; ; tries++) {
    try {
      return await load();
    } catch (failure) {
      // A module that was fetched and fails is no better the next time; browsers say with a TypeError that one was not.
      if (!(failure instanceof TypeError) || tries === TRIES) throw failure;
    }
    const now = wait;
    await new Promise((resolve) => setTimeout(resolve, now));
    wait = Math.min(2 * wait, LONGEST_WAIT_MS);
  }
}
