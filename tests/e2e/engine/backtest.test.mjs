// The same file, strategy and assumptions give the same backtest on every surface: the command line with no engine
// running (twice), the command line through the engine, REST, the console and MCP. The fingerprint covers every trade,
// the equity curve and the metrics, so equal fingerprints are equal results.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { CANDLEWICK, startEngine } from '../lib/engine.mjs';
import { temporaryDirectory } from '../lib/process.mjs';

const CANDLES = 3_000;
const REQUEST = { strategy: 'ema-cross', params: { fast: '10', slow: '20' }, instrument: 'BTCUSDT.FILE', timeframe: '1m', cash: '10000' };
const LINE = 'backtest run --strategy ema-cross --param fast=10 --param slow=20 --instrument BTCUSDT.FILE --timeframe 1m --cash 10000';

/** A seeded walk with a trend that turns, as CSV: some hundred crossings. */
function candleFile(directory) {
  let state = 42;
  const random = () => ((state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648) - 0.5;
  let price = 2_000_000;
  const rows = ['open_time,open,high,low,close,volume'];
  for (let n = 0; n < CANDLES; n += 1) {
    const open = price;
    price += Math.round(random() * 2_000 + Math.sin(n / 40) * 200);
    const [high, low] = [Math.max(open, price) + 300, Math.min(open, price) - 300];
    const time = new Date(Date.UTC(2024, 0, 1) + n * 60_000).toISOString();
    rows.push([time, ...[open, high, low, price].map((cents) => (cents / 100).toFixed(2)), 12.5].join(','));
  }
  const path = join(directory, 'candles.csv');
  writeFileSync(path, `${rows.join('\n')}\n`);
  return path;
}

test('one backtest, one fingerprint', async (t) => {
  const dataDir = temporaryDirectory(t);
  const cli = (line) => {
    const args = [...line.split(' '), '--data-dir', dataDir, '--format', 'json'];
    const { status, stdout, stderr } = spawnSync(CANDLEWICK, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
    assert.equal(status, 0, `${line}\n${stderr}`);
    return JSON.parse(stdout);
  };
  const imported = cli(`data import ${candleFile(dataDir)} --instrument BTCUSDT.FILE --timeframe 1m`);
  assert.equal(imported.accepted, CANDLES, JSON.stringify(imported));

  const results = new Map([['command line, no engine', cli(LINE)], ['command line, once more', cli(LINE)]]);
  const engine = await startEngine(t, { dataDir });
  results.set('command line, engine running', cli(LINE));
  results.set('REST', await engine.call('backtest.run', REQUEST));

  const typed = await engine.call('console.run', { line: `${LINE} | json` });
  assert.equal(typed.blocks.length, 1, JSON.stringify(typed).slice(0, 500));
  results.set('console', typed.blocks[0].value);

  const client = new Client({ name: 'backtest', version: '1' });
  await client.connect(new StdioClientTransport({ command: CANDLEWICK, args: ['mcp', '--data-dir', dataDir] }));
  const tool = await client.callTool({ name: 'backtest_run', arguments: REQUEST });
  assert.ok(!tool.isError, JSON.stringify(tool).slice(0, 500));
  results.set('MCP', tool.structuredContent);
  await client.close();

  const { job_id } = await engine.call('backtest.start', REQUEST);
  const job = async () => (await engine.call('jobs.list')).jobs.find(({ id }) => id === job_id);
  for (let state = 'running'; state !== 'done'; ({ state } = await job())) assert.notEqual(state, 'failed');
  results.set('a job', await engine.call('backtest.result', { job_id }));

  const [[, expected]] = results;
  assert.ok(expected.trades.length > 20, `${expected.trades.length} round trips`);
  for (const [surface, result] of results) assert.deepEqual(result, expected, surface);
  t.diagnostic(`${expected.trades.length} round trips, ${expected.fingerprint} on ${results.size} surfaces`);

  const other = await engine.call('backtest.run', { ...REQUEST, params: { fast: '10', slow: '21' } });
  assert.notEqual(other.fingerprint, expected.fingerprint, 'another parameter is another result');
  assert.equal(await engine.stop(), 0);
});
