// A newcomer opens the printed address.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chartReady, eventually, legendClose, openPage } from '../lib/browser.mjs';
import { startEngine } from '../lib/engine.mjs';

test('the simulated market moves, nothing is asked, and the badge says what it is', async (t) => {
  const engine = await startEngine(t);
  const { page } = await openPage(t, engine);
  await chartReady(page);
  await page.getByLabel('Mode: SIMULATED MARKET').waitFor();
  const watchlist = page.getByRole('grid', { name: 'Watchlist' });
  assert.ok(Number(await watchlist.getAttribute('aria-rowcount')) > 24, 'at least 24 instruments');
  const first = await legendClose(page).textContent();
  await eventually('the chart to move', async () => (await legendClose(page).textContent()) !== first);
  const [mark] = await page.evaluate(() => performance.getEntriesByName('first_chart').map((entry) => entry.startTime));
  t.diagnostic(`first chart ${Math.round(mark)} ms after navigation`);
});

test('the code works once: a reload goes on, a second browser has to pair', async (t) => {
  const engine = await startEngine(t);
  const url = await engine.pairingUrl();
  const { page } = await openPage(t, engine, { url });
  await chartReady(page);
  assert.doesNotMatch(page.url(), /pair=/, 'the code does not stay in the address');
  await page.reload();
  await chartReady(page);
  const second = await openPage(t, engine, { url });
  second.expect(/401|403|Unauthorized|Forbidden/);
  await second.page.getByText('Pair this browser').waitFor();
});

test('the page shows when the engine goes away and when it is back', async (t) => {
  const engine = await startEngine(t);
  const { page, expect } = await openPage(t, engine);
  await chartReady(page);
  expect(/WebSocket|ERR_CONNECTION_REFUSED|Failed to load/);
  assert.equal(await engine.stop(), 0);
  await page.getByText(/Reconnecting|Connection lost/).first().waitFor();
  await startEngine(t, { dataDir: engine.dataDir, listen: engine.ready.http });
  await page.getByText(/Reconnecting|Connection lost/).first().waitFor({ state: 'detached', timeout: 60_000 });
});
