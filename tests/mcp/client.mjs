// The official TypeScript SDK against a running engine: `node client.mjs PATH/TO/candlewick` (needs
// `@modelcontextprotocol/sdk` 1.32). Starts `candlewick run` on a fresh data directory and speaks to it through
// `candlewick mcp`, as Claude Desktop does.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

const program = resolve(process.argv[2]);
const dataDir = mkdtempSync(join(tmpdir(), 'candlewick-mcp-'));
const engine = spawn(program, ['run', '--data-dir', dataDir, '--listen', '127.0.0.1:0', '--quiet'], {
  stdio: ['ignore', 'pipe', 'ignore'],
});
try {
  const [line] = await once(createInterface({ input: engine.stdout }), 'line');
  assert.equal(JSON.parse(line).event, 'ready');

  const client = new Client({ name: 'typescript', version: '1' });
  await client.connect(new StdioClientTransport({ command: program, args: ['mcp', '--data-dir', dataDir] }));
  assert.equal(client.getServerVersion().name, 'candlewick');

  const { tools } = await client.listTools();
  const names = tools.map((tool) => tool.name);
  assert.ok(names.includes('candles_get') && !names.includes('orders_place'), 'reading alone is the default');
  assert.ok(tools.every((tool) => tool.annotations?.readOnlyHint === true && tool.outputSchema));

  // The client checks the answer against the schema the server gave.
  const candles = await client.callTool({
    name: 'candles_get',
    arguments: { instrument: 'BTC-PERP.SIM', timeframe: '1m', limit: 3 },
  });
  assert.ok(!candles.isError, JSON.stringify(candles));
  assert.equal(candles.structuredContent.candles.length, 3);
  for (const name of ['symbols_list', 'accounts_list', 'health_get', 'quotes_list', 'risk_show', 'commands_list']) {
    const answer = await client.callTool({ name, arguments: {} });
    assert.ok(!answer.isError, `${name}: ${JSON.stringify(answer)}`);
  }

  const refused = await client.callTool({ name: 'candles_get', arguments: { instrument: 'nowhere', timeframe: '1m' } });
  assert.ok(refused.isError);
  assert.equal(JSON.parse(refused.content[0].text).field, 'instrument');
  const order = { instrument: 'BTC-PERP.SIM', side: 'buy', qty: '0.01' };
  const forbidden = await client.callTool({ name: 'orders_place', arguments: order });
  assert.equal(JSON.parse(forbidden.content[0].text).code, 'forbidden');
  await assert.rejects(client.callTool({ name: 'no_such_tool', arguments: {} }), { code: -32602 });
  await client.close();
  console.log(`typescript: ${tools.length} tools`);
} finally {
  engine.kill('SIGTERM');
  const [code] = engine.exitCode === null ? await once(engine, 'exit') : [engine.exitCode];
  rmSync(dataDir, { recursive: true, force: true });
  assert.equal(code, 0, 'the engine ends cleanly');
}
