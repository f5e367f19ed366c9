// The main job, by mouse and by console: a bracket order that fills, the reason of the fill, the halt, a backtest.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { chartReady, eventually, openPage } from '../lib/browser.mjs';
import { startEngine } from '../lib/engine.mjs';
import { onTick } from '../lib/price.mjs';
import { scope } from '../lib/process.mjs';

const shared = scope();
let engine;
let page;

after(() => shared.end());
afterEach(() => page.keyboard.press('Escape')); // a dialog that a failed test left open is not the next one's problem
before(async () => {
  engine = await startEngine(shared);
  ({ page } = await openPage(shared, engine));
  await chartReady(page);
});

const tab = (name) => page.getByRole('tab', { name: new RegExp(`^${name}`) }).first().click();
const listed = async (name, body = {}) => Object.values(await engine.call(name, body))[0];

/** Prices of an instrument as a factor of its last one, on its price step. */
const levels = async (instrument) => {
  const [{ last }] = await listed('quotes.list', { instruments: [instrument] });
  const { tick_size: tick } = (await listed('symbols.list')).find(({ id }) => id === instrument);
  return (factor) => onTick(Number(last) * factor, tick);
};

test('a bracket order placed by mouse fills, and its legs wait at the venue', async () => {
  const ticket = page.locator('form', { has: page.getByRole('radiogroup', { name: 'Order type' }) });
  await ticket.getByRole('group', { name: 'Side' }).getByRole('button', { name: /^Buy/ }).click();
  await ticket.getByRole('radio', { name: 'Market' }).click();
  await ticket.getByRole('textbox', { name: 'Quantity' }).fill('0.05');
  const bracket = ticket.getByRole('switch', { name: /Bracket/ });
  if ((await bracket.getAttribute('aria-checked')) !== 'true') await bracket.click();
  const level = await levels('BTC-PERP.SIM');
  await ticket.getByRole('textbox', { name: 'Take profit' }).fill(level(1.05));
  await ticket.getByRole('textbox', { name: 'Stop loss' }).fill(level(0.95));
  await ticket.getByText('Loss at stop').waitFor();
  await ticket.getByRole('button', { name: /^Review buy 0\.05/ }).click();

  const review = page.getByRole('dialog');
  await review.getByText(/Paper account paper at SIM/).waitFor();
  const send = review.getByRole('button', { name: /^Buy 0\.05 BTC-PERP/ });
  await eventually('the button to be armed', async () => (await send.getAttribute('aria-disabled')) !== 'true');
  await send.dblclick(); // a nervous hand: still one order

  const fills = await eventually('the fill', async () => {
    const all = await listed('fills.list');
    return all.reduce((sum, fill) => sum + Number(fill.qty), 0) > 0.05 - 1e-9 && all;
  });
  assert.ok(fills.every((fill) => fill.instrument === 'BTC-PERP.SIM' && fill.side === 'buy'));
  assert.equal(new Set(fills.map((fill) => fill.order_id)).size, 1, 'one order from two clicks');
  const legs = await eventually('both legs', async () => {
    const open = await listed('orders.list', { open_only: true });
    return open.length === 2 && open;
  });
  assert.deepEqual(legs.map((leg) => leg.side), ['sell', 'sell']);
  assert.deepEqual(legs.map((leg) => leg.parent), [fills[0].order_id, fills[0].order_id]);

  await tab('Positions');
  const row = page.getByRole('grid', { name: 'Positions' }).getByRole('row', { name: /BTC-PERP/ });
  await row.getByText('Long').waitFor();
  await row.getByText(/^0\.050*$/).waitFor();
});

test('the fill says why it happened, from the journal', async () => {
  await tab('Fills');
  const [fill] = await listed('fills.list');
  await page.getByRole('button', { name: `Why did ${fill.id} happen?` }).click();
  const dialog = page.getByRole('dialog', { name: /^Why\?/ });
  const { steps } = await engine.call('journal.explain', { id: fill.id });
  assert.ok(steps.length >= 3, 'command, order and fill at least');
  await eventually('every step of the chain', async () => (await dialog.getByRole('listitem').count()) === steps.length);
  for (const step of steps) await dialog.getByText(`#${step.seq} ${step.kind}`).waitFor();
  const seqs = new Set(steps.map((step) => step.seq));
  for (const { seq, caused_by: cause } of steps) {
    assert.ok(cause === undefined || cause === null || (cause <= seq && seqs.has(cause)), `#${seq}: its cause #${cause} is shown`);
  }
  assert.ok(steps.filter((step) => step.caused_by).length >= 2, 'a chain, not a list');
});

test('the console places a bracket order with the same words as the command line', async () => {
  await tab('Console');
  const input = page.getByRole('combobox', { name: 'Console command' });
  const output = page.getByRole('log', { name: 'Console output' });
  const run = async (line) => {
    await input.fill(line);
    await input.press('Escape'); // closes the completions, so that Enter runs the line
    await input.press('Enter');
  };
  const level = await levels('ETH-PERP.SIM');
  await run(
    `orders place --account paper --instrument ETH-PERP.SIM --side sell --type market --qty 0.5 --take-profit ${level(0.95)} --stop-loss ${level(1.05)}`,
  );
  await eventually('the position', async () => {
    const positions = await listed('positions.list');
    return positions.some(({ instrument, side, qty }) => instrument === 'ETH-PERP.SIM' && side === 'short' && Number(qty) === 0.5);
  });
  await run('positions list | cols instrument,side');
  await output.getByText('ETH-PERP.SIM').last().waitFor();
  await run('ordres list');
  await output.getByRole('alert').filter({ hasText: 'orders' }).waitFor();
});

test('halt stops new orders at once, on every surface, and resume asks for a reason', async () => {
  await page.getByRole('button', { name: 'Halt trading' }).click();
  await page.getByRole('dialog', { name: 'Trading is halted' }).getByRole('button', { name: 'Leave them' }).click();
  const order = { account: 'paper', instrument: 'BTC-PERP.SIM', side: 'buy', order_type: 'market', qty: '0.01' };
  await assert.rejects(engine.call('orders.place', order), { code: 'denied' });

  await page.getByRole('button', { name: /Halted/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Resume trading' });
  await dialog.getByRole('textbox', { name: 'Reason' }).fill('end-to-end test');
  await dialog.getByRole('button', { name: 'Resume', exact: true }).click();
  await page.getByRole('button', { name: 'Halt trading' }).waitFor();
  await engine.call('orders.place', order);
});

test('a backtest runs from the Research workspace and shows trades, metrics and what it assumed', async () => {
  await page.getByRole('navigation', { name: 'Workspaces' }).getByRole('button', { name: 'Research' }).click();
  const form = page.locator('form', { has: page.getByRole('button', { name: 'Run backtest' }) });
  await form.getByRole('combobox', { name: 'Strategy' }).selectOption('ema-cross');
  await form.getByRole('button', { name: 'Run backtest' }).click();
  await page.getByRole('heading', { name: 'Assumptions' }).waitFor({ timeout: 60_000 });
  const shown = (await page.getByText('Fingerprint').first().textContent()).replace('Fingerprint', '').trim();
  const trades = page.getByRole('grid', { name: 'Round trips' });
  assert.ok(Number(await trades.getAttribute('aria-rowcount')) > 2, 'an EMA cross trades');
  const { jobs } = await engine.call('jobs.list');
  const result = await engine.call('backtest.result', { job_id: jobs.find((job) => job.kind === 'backtest').id });
  assert.equal(result.fingerprint, shown);
  assert.equal(result.trades.length, Number(await trades.getAttribute('aria-rowcount')) - 1);
});
