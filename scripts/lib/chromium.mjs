// Chromium as the tests, the icons and the screenshots start it: an installed one, without its network habits.
import { chromium } from 'playwright-core';
import { findChromium } from './chromium-path.mjs';

export async function launchChromium({ args = [], ...options } = {}) {
  const executablePath = findChromium();
  if (!executablePath) throw new Error('no Chromium found; install it or set CHROMIUM to its path');
  const root = typeof process.getuid === 'function' && process.getuid() === 0;
  return chromium.launch({
    executablePath,
    args: [
      ...(root ? ['--no-sandbox'] : []),
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...args,
    ],
    ...options,
  });
}
