// npm run bench: builds and runs every crates/*/examples/bench_*.rs and prints name | ours | yardstick | ratio.
//   npm run bench -- --jsonl FILE   also appends our rows to FILE, one JSON object per line
//   npm run bench -- --only NAME    only the programs whose name contains NAME; `desktop` is the window
// With BENCH_DATA set, the programs read the seeded files there, otherwise data of their own of the same shape.
// It fails when a program fails or gives no answer, never on a time.
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as build from './lib/build.mjs';
import { parseLines, tabulate } from './lib/bench-table.mjs';
import { ROOT, TARGET } from './lib/paths.mjs';
import { exitCode, heading, red, script, Stop } from './lib/run.mjs';
import { ensureSystem } from './lib/system.mjs';

await script(async () => {
  const args = process.argv.slice(2);
  const option = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
  const jsonl = option('--jsonl') && resolve(process.env.INIT_CWD ?? '.', option('--jsonl'));
  const wanted = ({ example }) => example.includes(option('--only') ?? '');
  const programs = findPrograms().filter(wanted);
  const desktop = wanted({ example: 'desktop' });
  if (programs.length === 0 && !desktop) throw new Stop('no benchmark program has that name');

  await ensureSystem('engine', 'bench', ...(desktop ? ['desktop', 'test'] : []));
  const entries = [];
  const failed = [];
  for (const { crate, example } of programs) {
    heading(example);
    const built = await exitCode('cargo', ['build', '--locked', '--profile', 'bench', '-p', crate, '--example', example]);
    // Cargo's bench profile writes below release/.
    const result = built === 0 && spawnSync(join(TARGET, 'release/examples', example), {
      cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 26,
    });
    if (result?.status !== 0) {
      failed.push(example);
      continue;
    }
    process.stdout.write(result.stdout);
    try {
      entries.push(...parseLines(result.stdout));
    } catch (error) {
      console.error(red(error.message));
      failed.push(example);
    }
  }

  if (desktop) {
    heading('desktop');
    await build.npmPackages();
    await build.userInterface();
    const binary = await build.desktop('release');
    const { benchDesktop } = await import('./lib/bench-desktop.mjs'); // needs what npm ci installs
    entries.push(...(await benchDesktop(binary)));
  }

  heading('Benchmarks (smaller is better; ratio = yardstick ÷ ours)');
  for (const line of tabulate(entries)) console.log(line);
  if (jsonl) {
    const ours = entries.filter((entry) => entry.peer === 'candlewick');
    appendFileSync(jsonl, ours.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  }
  if (failed.length > 0) throw new Stop(`failed: ${failed.join(', ')}`);
});

function findPrograms() {
  return readdirSync(join(ROOT, 'crates')).sort().flatMap((crate) => {
    const directory = join(ROOT, 'crates', crate, 'examples');
    if (!existsSync(directory)) return [];
    return readdirSync(directory)
      .filter((file) => /^bench_.*\.rs$/.test(file))
      .sort()
      .map((file) => ({ crate, example: file.slice(0, -3) }));
  });
}
