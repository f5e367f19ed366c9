// The official MCP clients against the real engine, as `npm test` runs them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import test from 'node:test';

import { CANDLEWICK } from '../e2e/lib/engine.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

async function passes(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (text += bytes));
  const [code] = await once(child, 'close');
  assert.equal(code, 0, text);
}

test('the Python SDK', { timeout: 120_000 }, () => passes(process.env.PYTHON ?? 'python3', [here('client.py'), CANDLEWICK]));
test('the TypeScript SDK', { timeout: 120_000 }, () => passes(process.execPath, [here('client.mjs'), CANDLEWICK]));
