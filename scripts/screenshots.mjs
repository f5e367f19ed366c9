// npm run screenshots: pictures of the real window for the documentation, written to docs/images/.
// The window runs on a fresh data directory on its own virtual screen, so the pictures show what a newcomer sees.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as build from './lib/build.mjs';
import { ROOT } from './lib/paths.mjs';
import { heading, script } from './lib/run.mjs';
import { ensureSystem } from './lib/system.mjs';

const DIR = join(ROOT, 'docs/images');

await script(async () => {
  await ensureSystem('engine', 'desktop', 'test');
  await build.npmPackages();
  await build.userInterface();
  await build.desktop('dev');

  // After npm ci: the harness needs what it installs.
  const { PICTURES } = await import('../tests/e2e/lib/pictures.mjs');
  const { openWindow } = await import('../tests/e2e/lib/desktop.mjs');
  const { scope } = await import('../tests/e2e/lib/process.mjs');
  mkdirSync(DIR, { recursive: true });
  heading('Pictures');
  const window = scope();
  try {
    const { driver } = await openWindow(window);
    for (const { name, prepare } of PICTURES) {
      await prepare(driver);
      writeFileSync(join(DIR, `${name}.png`), Buffer.from(await driver.takeScreenshot(), 'base64'));
      console.log(`docs/images/${name}.png`);
    }
  } finally {
    await window.end();
  }
});
