// The desktop's rows of the benchmark: what the workstation costs above a bare window of the same web engine.
// The yardstick is WebKitGTK's own MiniBrowser on an empty page, started on the same virtual screen in the same run.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { startScreen } from '../../tests/e2e/lib/desktop.mjs';
import { scope, start, temporaryDirectory } from '../../tests/e2e/lib/process.mjs';
import { ROOT } from './paths.mjs';

const REPETITIONS = 5;
/** From the first frame to the reading of memory: caches filled, garbage of the start collected. */
const SETTLE_MS = 10_000;
const BARE = [
  '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser',
  '/usr/lib/aarch64-linux-gnu/webkit2gtk-4.1/MiniBrowser',
].find(existsSync);

/** Proportional set size of a process and everything below it, in MB. */
function memory(root) {
  const parents = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      parents.set(Number(name), Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))[1]));
    } catch {
      // it ended meanwhile
    }
  }
  const below = (pid) => pid === root || (parents.has(pid) && below(parents.get(pid)));
  let kilobytes = 0;
  for (const pid of parents.keys()) {
    if (!below(pid)) continue;
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    kilobytes += Number(/^Pss:\s+(\d+) kB/m.exec(rollup)[1]);
  }
  return kilobytes / 1024;
}

/** Starts MiniBrowser on an empty page that reports its second frame. */
async function bareWindow(t, env) {
  let painted;
  const frame = new Promise((resolve) => { painted = resolve; });
  const server = createServer((request, response) => {
    if (request.url === '/painted') painted(performance.now());
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><script>requestAnimationFrame(() => requestAnimationFrame(() => fetch("/painted")))</script>');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const began = performance.now();
  const program = start(t, BARE, ['--private', `http://127.0.0.1:${server.address().port}/`], { env });
  return { ms: (await frame) - began, pid: program.child.pid };
}

/** Starts the workstation; its own clock says when the first chart was painted. */
async function workstation(t, env, binary) {
  const program = start(t, binary, ['--data-dir', temporaryDirectory(t), '--timing'], { env, cwd: ROOT });
  const line = await program.line((text) => text.includes('"first_chart"'));
  return { ms: JSON.parse(line).ms, pid: program.child.pid };
}

async function measure(open) {
  const frames = [];
  const sizes = [];
  for (let n = 0; n < REPETITIONS; n += 1) {
    const t = scope();
    try {
      const env = await startScreen(t);
      const { ms, pid } = await open(t, env);
      frames.push(ms);
      await sleep(SETTLE_MS);
      sizes.push(memory(pid));
    } finally {
      await t.end();
    }
  }
  return { ms: Math.min(...frames), mb: Math.min(...sizes) };
}

/** The benchmark lines of the desktop; none where there is no yardstick. */
export async function benchDesktop(binary) {
  if (process.platform !== 'linux' || !BARE) return [];
  const bare = await measure(bareWindow);
  const ours = await measure((t, env) => workstation(t, env, binary));
  const check = { repetitions: REPETITIONS, first_chart: true };
  const line = (peer, row, value, unit) => ({ peer, row, value: Math.max(value, 0.1), unit, check });
  return [
    line('candlewick', 'G-mem', ours.mb - bare.mb, 'MB'),
    line('candlewick', 'G-frame', ours.ms - bare.ms, 'ms'),
    line('candlewick', 'G-mem-total', ours.mb, 'MB'),
    line('WebKitGTK MiniBrowser', 'G-mem-total', bare.mb, 'MB'),
    line('candlewick', 'G-frame-total', ours.ms, 'ms'),
    line('WebKitGTK MiniBrowser', 'G-frame-total', bare.ms, 'ms'),
  ];
}
