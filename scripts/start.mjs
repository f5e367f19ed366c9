// npm start: from a fresh clone to the open workstation. Everything after `--` goes to the program:
//   npm start -- --data-dir /tmp/try
// `--headless` before anything else runs the engine without a window even where there is a display.
import * as build from './lib/build.mjs';
import { exitCode, heading, script } from './lib/run.mjs';
import { ensureSystem, hasDisplay } from './lib/system.mjs';

await script(async () => {
  const args = process.argv.slice(2);
  const headless = args[0] === '--headless' ? Boolean(args.shift()) : !hasDisplay();

  heading('What this machine needs');
  await ensureSystem('engine', ...(headless ? [] : ['desktop']));
  await build.npmPackages();

  heading('Build (the first one takes some minutes, later ones only what changed)');
  await build.userInterface();
  const program = await (headless ? build.headless('release') : build.desktop('release'));

  heading(headless ? 'Engine without a window: open the address below in a browser' : 'Candlewick');
  const cwd = process.env.INIT_CWD ?? process.cwd(); // where the person typed, for relative paths
  return exitCode(program, headless ? ['run', ...args] : args, { cwd, foreground: true });
});
