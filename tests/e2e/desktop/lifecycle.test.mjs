// From the process's first moment to its last: start-up events, signals, a second start, a restart, a bare locale.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DESKTOP, invoke, openWindow, startScreen, until } from '../lib/desktop.mjs';
import { CANDLEWICK } from '../lib/engine.mjs';
import { hasChart } from '../lib/pictures.mjs';
import { start, temporaryDirectory } from '../lib/process.mjs';

const EVENTS = ['engine_ready', 'first_chart', 'window_shown'];

test('--timing prints every start-up event once, and --exit-after first_chart ends with 0', async (t) => {
  const env = await startScreen(t);
  const program = start(t, DESKTOP, ['--data-dir', temporaryDirectory(t), '--timing', '--exit-after', 'first_chart'], { env });
  await program.line((line) => line.includes('"first_chart"'), 90_000);
  assert.equal(await program.exited, 0, program.lines.join('\n'));
  const events = program.lines.filter((line) => line.startsWith('{"event"')).map((line) => JSON.parse(line));
  assert.deepEqual(events.map(({ event }) => event).sort(), EVENTS);
  for (const { event, ms } of events) {
    assert.ok(ms > 0 && ms < 90_000, `${event} at ${ms} ms`);
    t.diagnostic(`${event}: ${ms} ms`);
  }
});

test('SIGTERM ends it in order: exit code 0, the place of the window kept', async (t) => {
  const env = await startScreen(t);
  const dataDir = temporaryDirectory(t);
  const program = start(t, DESKTOP, ['--data-dir', dataDir, '--timing'], { env });
  await program.line((line) => line.includes('"first_chart"'), 90_000);
  assert.equal(await program.stop(), 0, program.lines.join('\n'));
  assert.ok(existsSync(join(dataDir, 'window.json')));
});

test('a second start with the same data directory ends, the first goes on; another directory is another window', async (t) => {
  const env = await startScreen(t);
  const dataDir = temporaryDirectory(t);
  const first = start(t, DESKTOP, ['--data-dir', dataDir, '--timing'], { env });
  await first.line((line) => line.includes('"engine_ready"'), 90_000);
  const second = start(t, DESKTOP, ['--data-dir', dataDir], { env });
  assert.equal(await second.exited, 0);
  assert.equal(first.child.exitCode, null);
  const other = start(t, DESKTOP, ['--data-dir', temporaryDirectory(t), '--timing'], { env });
  await other.line((line) => line.includes('"engine_ready"'), 90_000);
});

test('an order placed in one run is there in the next', async (t) => {
  const dataDir = temporaryDirectory(t);
  const first = await openWindow(t, { dataDir });
  await until(first.driver, 'the page', () => document.querySelector('#root')?.childElementCount > 0);
  const order = { account: 'paper', instrument: 'BTC-PERP.SIM', side: 'buy', order_type: 'market', qty: '0.01' };
  const placed = await invoke(first.driver, 'call', { name: 'orders.place', body: order });
  assert.equal(placed.error, undefined, JSON.stringify(placed.error));
  const fills = await eventually(async () => {
    const { ok } = await invoke(first.driver, 'call', { name: 'fills.list', body: {} });
    return ok.fills.length > 0 && ok.fills;
  });
  await first.close();

  const second = await openWindow(t, { dataDir });
  await until(second.driver, 'the page', () => document.querySelector('#root')?.childElementCount > 0);
  const { ok, error } = await invoke(second.driver, 'call', { name: 'fills.list', body: {} });
  assert.equal(error, undefined, JSON.stringify(error));
  assert.deepEqual(ok.fills.map(({ id }) => id), fills.map(({ id }) => id));
});

test('the command line talks to the engine in the window', async (t) => {
  const dataDir = temporaryDirectory(t);
  const env = await startScreen(t);
  const window = start(t, DESKTOP, ['--data-dir', dataDir, '--timing'], { env });
  await window.line((line) => line.includes('"engine_ready"'), 90_000);
  const verb = (...args) => {
    const result = spawnSync(CANDLEWICK, ['--data-dir', dataDir, '--format', 'json', ...args], { encoding: 'utf8' });
    assert.equal(result.status, 0, result.stderr);
    return JSON.parse(result.stdout);
  };
  const placed = verb('orders', 'place', ...'--account paper --instrument BTC-PERP.SIM --side buy --type market --qty 0.01'.split(' '));
  assert.ok(placed.order_id);
  await eventually(() => verb('fills', 'list').fills.some((fill) => fill.order_id === placed.order_id));
});

test('a machine without a locale shows the same window', async (t) => {
  const { driver } = await openWindow(t, { env: { LANG: 'C', LC_ALL: 'C', LANGUAGE: '' } });
  await until(driver, 'the first chart', hasChart);
  assert.match(await driver.getTitle(), /Candlewick$/);
});

async function eventually(probe, timeoutMs = 30_000) {
  for (const end = Date.now() + timeoutMs; Date.now() < end; ) {
    const value = await probe();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`nothing within ${timeoutMs} ms`);
}
