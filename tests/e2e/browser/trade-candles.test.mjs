// Candles that end with what was traded, on the chart: typed, chosen, growing live, and right.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chartReady, eventually, openPage } from '../lib/browser.mjs';
import { startEngine } from '../lib/engine.mjs';
import { scope, temporaryDirectory } from '../lib/process.mjs';

const shared = scope();
let engine;
let page;
let expect;

after(() => shared.end());
before(async () => {
  engine = await startEngine(shared);
  ({ page, expect } = await openPage(shared, engine));
  await chartReady(page);
});

const chart = () => page.locator('[aria-roledescription="chart"]').first();
/** The chart in words, as a screen reader has it. */
const says = (pattern) => chart().locator('p.sr-only').filter({ hasText: pattern }).waitFor({ state: 'attached' });
const type = async (timeframe) => {
  await chart().focus();
  await page.keyboard.type(timeframe, { delay: 30 });
  await page.keyboard.press('Enter');
};
const choose = async (symbol) => {
  await chart().focus();
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog').getByRole('combobox').fill(`@${symbol.toLowerCase()}`);
  await page.getByRole('dialog').getByRole('option', { name: new RegExp(symbol) }).click();
};
const number = (text) => Number(text.replaceAll(',', '').replace('−', '-'));

test('candles of a hundred trades are typed over the chart and grow as the market trades', async () => {
  await type('100t');
  await says(/^BTC-PERP 100t: \d+ candles/);
  await page.getByRole('button', { name: '100t', pressed: true }).waitFor();
  await chart().locator('[data-study="ema(21)"]').filter({ hasText: /\d/ }).waitFor();
  await engine.call('mock.speed', { speed: 100 });
  await chart().focus();
  await page.keyboard.press('Alt+t');
  const rows = page.getByRole('grid', { name: /100t/ }).getByRole('row');
  const row = (n) => rows.nth(n).getByRole('gridcell').allTextContents();
  await rows.nth(3).waitFor();
  const [first] = await row(1);
  await eventually('new candles', async () => (await row(1))[0] !== first, 20_000);
  await engine.call('mock.speed', { speed: 1 });
  // The newest is forming; the others are what the engine makes of the same trades.
  await eventually('a closed candle as the engine has it', async () => {
    const { candles } = await engine.call('candles.get', { instrument: 'BTC-PERP.SIM', timeframe: '100t', limit: 20 });
    const shown = (await row(2)).slice(1, 5).map(number).join();
    return candles.some(({ open, high, low, close }) => [open, high, low, close].map(Number).join() === shown);
  });
  await page.keyboard.press('Alt+t');
});

test('another number of trades is chosen from the list, and time comes back', async () => {
  await page.getByRole('button', { name: 'More timeframes' }).first().click();
  await page.getByRole('group', { name: 'By number of trades' }).getByRole('button', { name: '500t' }).click();
  await page.keyboard.press('Escape');
  await says(/^BTC-PERP 500t: \d+ candles/);
  await type('5m');
  await says(/^BTC-PERP 5m: \d+ candles/);
});

test('trades of a file make candles, several of one trade among them, and a file without trades says so', async () => {
  expect(/404/);
  const folder = temporaryDirectory(shared);
  const start = Date.UTC(2024, 0, 2, 9);
  const trades = Array.from({ length: 200 }, (_, i) => [new Date(start + Math.floor(i / 4) * 1000).toISOString(), 100 + (i % 7), 5].join());
  const bars = Array.from({ length: 50 }, (_, i) => [new Date(start + i * 60_000).toISOString(), 1, 2, 1, 2, 3].join());
  const write = (name, head, lines) => {
    writeFileSync(join(folder, name), `${head}\n${lines.join('\n')}\n`);
    return join(folder, name);
  };
  const tape = write('trades.csv', 'time,price,quantity', trades);
  await engine.call('data.import', { file: tape, instrument: 'TAPE.FILE', kind: 'trades' });
  const plain = write('plain.csv', 'time,open,high,low,close,volume', bars);
  await engine.call('data.import', { file: plain, instrument: 'PLAIN.FILE', timeframe: '1m' });
  await page.reload();
  await chartReady(page);
  await choose('TAPE');
  await says(/^TAPE /);
  await type('5m');
  await says(/^TAPE 5m: \d+ candle/);
  // A thousand units, one a candle: five candles of each trade, four trades at the same moment.
  await type('1v');
  await says(/^TAPE 1v: 100 candles/);
  await page.getByText('Made of trades from FILE').first().waitFor();
  await choose('PLAIN');
  await chart().getByText(/there is no trade of PLAIN\.FILE/).waitFor();
});
