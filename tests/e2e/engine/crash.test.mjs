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
const BASE = { 'BTC-PERP.SIM': 0.01, 'ETH-PERP.SIM': 0.1, 'EUR/USD.SIM': 1_000, 'SOL-PERP.SIM': 1 };

/** Each order has a quantity of its own: the risk gate takes equal orders within half a second for a mistake. */
const request = (n) => {
  const instrument = INSTRUMENTS[n % INSTRUMENTS.length];
  const side = n % 3 === 0 ? 'sell' : 'buy';
  const qty = (BASE[instrument] * (1 + Math.floor(n / INSTRUMENTS.length))).toFixed(2);
  return { account: 'paper', instrument, side, order_type: 'market', qty, client_order_id: `crash-${n}` };
};

for (const delay of [5, 20, 40, 80, 400]) {
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
    // An intent that was journaled and never sent is settled by asking the venue, not by sending it after all: by now the
    // reason to trade may be gone.
    const settled = ['filled', 'not_accepted'];
    const ours = async () => (await orders()).filter((order) => order.client_order_id.startsWith('crash-'));
    await eventually('every order to be settled', async () => (await ours()).every(({ status }) => settled.includes(status)));
    const done = await ours();
    assert.equal(done.length, ORDERS, 'one order per id');

    const { fills } = await second.call('fills.list', { limit: 1000 });
    const quantities = new Map();
    for (const { order_id, qty } of fills) quantities.set(order_id, (quantities.get(order_id) ?? 0) + Number(qty));
    for (const { id, client_order_id, qty, status } of done) {
      const wanted = status === 'filled' ? Number(qty) : 0;
      const got = quantities.get(id) ?? 0;
      assert.ok(Math.abs(got - wanted) < 1e-9, `${client_order_id} is ${status} with ${got} of ${qty}`);
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
