// Which checks run and what became of them. A failed check does not hide the others: all run, all are reported.
import { seconds, Stop } from './run.mjs';

/** The checks named in `only` and, before each, those it needs; all of them without `only`. */
export function plan(checks, only) {
  if (!only) return checks;
  const byName = new Map(checks.map((check) => [check.name, check]));
  const wanted = new Set();
  const add = (name) => {
    const check = byName.get(name);
    if (!check) throw new Stop(`there is no check "${name}"; npm test -- --list shows them`);
    for (const need of check.needs ?? []) add(need);
    wanted.add(name);
  };
  for (const name of only) add(name);
  return checks.filter((check) => wanted.has(check.name));
}

/**
 * Runs the checks in order; `begin` is told of each, `explain` of why one failed.
 * One whose need failed is not run and counts as failed: it proved nothing.
 */
export async function runChecks(checks, { begin = () => {}, explain = () => {} } = {}) {
  const results = [];
  const failed = new Set();
  for (const check of checks) {
    const began = performance.now();
    const missing = (check.needs ?? []).find((need) => failed.has(need));
    let error = missing && `not run, because "${missing}" failed`;
    if (!error) {
      begin(check);
      try {
        await check.run();
      } catch (cause) {
        error = cause.message.split('\n')[0];
        explain(cause);
      }
    }
    if (error) failed.add(check.name);
    results.push({ check, ok: !error, error, took: seconds(began) });
  }
  return results;
}

/** The last line of `npm test`, for people and for programs. */
export function closingLine(results) {
  const passed = results.filter((result) => result.ok).length;
  return `${passed} passed, ${results.length - passed} failed`;
}
