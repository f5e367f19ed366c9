// Where things are. Everything the scripts write lies under target/, which git ignores.
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');
export const TARGET = resolve(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'));
/** Stamps, virtual environments, logs and screenshots of the scripts. */
export const SCRATCH = join(TARGET, 'scripts');

/** Path of a built binary: `binary('candlewick', 'release')`. */
export function binary(name, profile) {
  const directory = profile === 'dev' ? 'debug' : profile;
  return join(TARGET, directory, process.platform === 'win32' ? `${name}.exe` : name);
}
