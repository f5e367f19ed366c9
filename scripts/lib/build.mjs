// The three builds: npm packages, the user interface, a Rust binary. Each does nothing when nothing changed.
import { run } from './run.mjs';
import { binary } from './paths.mjs';
import { unlessDone } from './stamp.mjs';

export function npmPackages() {
  return unlessDone(
    { name: 'npm', inputs: ['package-lock.json'], result: 'node_modules/.package-lock.json' },
    () => run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']),
  );
}

/** Bundles ui/ into ui/dist, which both binaries carry inside them. */
export function userInterface() {
  return unlessDone(
    { name: 'ui', inputs: ['package-lock.json', 'ui'], result: 'ui/dist/index.html' },
    () => run('npm', ['run', 'build', '--workspace', 'ui']),
  );
}

/** Builds package `name` and answers the path of its binary. Cargo itself knows what changed. */
export async function rust(packageName, binaryName, profile) {
  await run('cargo', ['build', '--locked', '--profile', profile, '-p', packageName]);
  return binary(binaryName, profile);
}

export const desktop = (profile) => rust('candlewick-desktop', 'candlewick-desktop', profile);
export const headless = (profile) => rust('cw-cli', 'candlewick', profile);
