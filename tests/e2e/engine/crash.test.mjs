// The process is killed in the middle of trading and started again: nothing lost, nothing doubled, and the journal
// replays to the state the engine is in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../lib/browser.mjs';
import { startEngine } from '../lib/engine.mjs';
import { temporaryDirectory } from '../lib/process.mjs';

const ORDERS = 24;
const INSTRUMENTS = ['BTC-PERP.SIM', 'ETH-PERP.SIM', 'EUR/USD.SIM', 'SOL-PERP.SIM'];
const QTY = { 'BTC-PERP.SIM': '0.01', 'ETH-PERP.SIM': '0.1', 'EUR/USD.SIM': '1000', 'SOL-PERP.SIM': '1' };

const request = (n) => {
  const instrument = INSTRUMENTS[n % INSTRUMENTS.length];
  const side = n % 3 === 0 ? 'sell' : 'buy';
  return { account: 'paper', instrument, side, order_type: 'market', qty: QTY[instrument], client_order_id: `crash-${n}` };
};

for (const delay of [5, 40, 120, 400]) {
  test(`killed ${delay} ms after the first of ${ORDERS} orders`, async (t) => {
    const dataDir = temporaryDirectory(t);
    const first = await startEngine(t, { dataDir });
    const acknowledged = new Set();
    const sending = Array.from({ length: ORDERS }, async (_, n) => {
      try {
        await first.call('orders.place', request(n));
        acknowledged.add(`crash-${n}`);
      } catch {
        // The connection broke: whether this order exists is what the restart has to tell.
      }
    });
    await sleep(delay);
    await first.stop('SIGKILL');
    await Promise.all(sending);

    const second = await startEngine(t, { dataDir });
    const orders = async () => (await second.call('orders.list', { limit: 1000 })).orders;
    const known = new Set((await orders()).map((order) => order.client_order_id));
    for (const id of acknowledged) assert.ok(known.has(id), `${id} was acknowledged and is lost`);

    // The client does not know which ones arrived, so it sends all of them again under the same ids.
    for (let n = 0; n < ORDERS; n += 1) {
      try {
        await second.call('orders.place', request(n));
      } catch (error) {
        assert.equal(error.code, 'conflict', error.message);
      }
    }
    const done = await eventually('every order to be filled', async () => {
      const all = (await orders()).filter((order) => order.client_order_id.startsWith('crash-'));
      return all.length >= ORDERS && all.every((order) => order.status === 'filled') && all;
    });
    assert.equal(done.length, ORDERS, 'one order per id');

    const { fills } = await second.call('fills.list', { limit: 1000 });
    const filled = new Map();
    for (const { order_id, qty } of fills) filled.set(order_id, (filled.get(order_id) ?? 0) + Number(qty));
    for (const { id, client_order_id, qty } of done) {
      assert.ok(Math.abs(filled.get(id) - Number(qty)) < 1e-9, `${client_order_id}: filled ${filled.get(id)} of ${qty}`);
    }
    assert.equal(new Set(fills.map(({ id }) => id)).size, fills.length, 'no fill twice');

    const check = await second.call('journal.verify');
    assert.equal(check.ok, true, JSON.stringify(check));
    const replay = await second.call('journal.replay');
    assert.equal(replay.matches, true, JSON.stringify(replay));
    assert.equal(await second.stop(), 0);
    t.diagnostic(`${acknowledged.size} of ${ORDERS} acknowledged before the kill, ${known.size} known after it, ${replay.entries} entries replayed`);
  });
}
