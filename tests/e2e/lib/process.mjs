// Child processes of the end-to-end tests: started on free ports and displays, always ended, their words kept for
// the failure message.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const directories = [];
process.on('exit', () => {
  for (const path of directories) rmSync(path, { recursive: true, force: true, maxRetries: 5 });
});

/** A directory that is gone when this test file is over: after every program that writes to it. */
export function temporaryDirectory(_test, name = 'candlewick-') {
  const path = mkdtempSync(join(tmpdir(), name));
  directories.push(path);
  return path;
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/**
 * Starts a program. `line(predicate)` waits for a line of its output (stdout and stderr), `stop()` ends it with
 * SIGTERM and answers its exit code; a program that ignores it for `graceMs` is killed and answers 'SIGKILL'.
 */
export function start(t, command, args, { graceMs = 15_000, stdio = ['ignore', 'pipe', 'pipe'], ...options } = {}) {
  const child = spawn(command, args, { stdio, ...options });
  const lines = [];
  const waiting = new Set();
  const exited = new Promise((resolve) => {
    child.on('error', (error) => resolve(`${command}: ${error.message}`));
    child.on('exit', (code, signal) => resolve(code ?? signal));
  });
  for (const stream of child.stdio.slice(1)) {
    if (!stream) continue;
    createInterface({ input: stream }).on('line', (text) => {
      lines.push(text);
      if (lines.length > 2_000) lines.shift();
      for (const waiter of waiting) waiter(text);
    });
  }
  const handle = {
    child,
    exited,
    lines,
    async line(predicate, timeoutMs = 60_000) {
      const known = lines.find(predicate);
      if (known !== undefined) return known;
      let waiter;
      const found = new Promise((resolve) => {
        waiter = (text) => predicate(text) && resolve(text);
        waiting.add(waiter);
      });
      const limit = sleep(timeoutMs, undefined, { ref: false }).then(() => {
        throw new Error(`${command} did not say it within ${timeoutMs} ms; it said:\n${lines.slice(-40).join('\n')}`);
      });
      const early = exited.then((code) => {
        throw new Error(`${command} ended (${code}); it said:\n${lines.slice(-40).join('\n')}`);
      });
      try {
        return await Promise.race([found, limit, early]);
      } finally {
        waiting.delete(waiter);
      }
    },
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const limit = sleep(graceMs, 'SIGKILL', { ref: false });
      const code = await Promise.race([exited, limit]);
      if (code === 'SIGKILL') child.kill('SIGKILL');
      return code;
    },
  };
  afterwards(t, () => handle.stop());
  return handle;
}

/** For what several tests share: takes cleanups as a test does; `end` runs all of them, the last one first, then fails for the first that did. */
export function scope() {
  const cleanups = [];
  return {
    after: (work) => cleanups.push(work),
    async end() {
      const failures = [];
      for (const work of cleanups.splice(0).reverse()) {
        try {
          await work();
        } catch (failure) {
          failures.push(failure);
        }
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}

const ends = new WeakMap();
/** Does `work` after a test, the last first, also when other such work fails: the runner would leave out what follows. */
export function afterwards(t, work) {
  if (!ends.has(t)) {
    const all = scope();
    ends.set(t, all);
    t.after(() => all.end());
  }
  ends.get(t).after(work);
}
