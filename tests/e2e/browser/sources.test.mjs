// Where data comes from, on the screen: connections, the strip under a chart, what is stored, symbols by provider.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { chartReady, eventually, goTo, openPage, settings, violations } from '../lib/browser.mjs';
import { startEngine } from '../lib/engine.mjs';
import { freePort, scope, temporaryDirectory } from '../lib/process.mjs';

const shared = scope();
let engine;
let page;

after(() => shared.end());
afterEach(() => page.keyboard.press('Escape')); // what a failed test left open is not the next one's problem
before(async () => {
  // A venue that is switched on and that nobody listens for: it is refused for as long as the tests run.
  const nobody = await freePort();
  const config = join(temporaryDirectory(shared), 'candlewick.toml');
  writeFileSync(
    config,
    `[venues.aster]\nenabled = true\nsymbols = ["BTCUSDT"]\nrest_url = "http://127.0.0.1:${nobody}"\nstream_url = "ws://127.0.0.1:${nobody}"\n`,
  );
  engine = await startEngine(shared, { args: ['--config', config] });
  ({ page } = await openPage(shared, engine));
  await chartReady(page);
});

const connection = async (name) => (await engine.call('connections.list')).connections.find((each) => each.name === name);
const bar = () => page.locator('footer').getByRole('button', { name: /Open the list of connections/ });

test('the status bar names the connection that is in trouble, and leads to the list', async () => {
  await eventually('the engine to have noticed', async () => (await connection('ASTER')).state !== 'open');
  await bar().filter({ hasText: 'ASTER' }).waitFor();
  const text = await bar().textContent();
  assert.ok(text.indexOf('ASTER') < text.indexOf('SIM'), `trouble first: ${text}`);
  await bar().click();
  await page.getByRole('grid', { name: 'Connections' }).waitFor();
});

test('a connection that is in trouble does not look like one that is well, and its row opens what went wrong', async () => {
  const grid = page.getByRole('grid', { name: 'Connections' });
  await grid.getByRole('row', { name: /SIM/ }).getByText('open', { exact: true }).waitFor();
  const row = grid.getByRole('row', { name: /ASTER/ });
  const { state } = await connection('ASTER');
  await row.getByText(state, { exact: true }).or(row.getByText(/retrying|connecting|closed|degraded/)).first().waitFor();
  await row.click();
  const detail = page.getByRole('dialog', { name: /ASTER/ });
  const known = await eventually('the reason', async () => (await connection('ASTER')).last_error);
  await eventually('the reason on the screen', async () => (await detail.textContent()).includes(known.slice(0, 40)));
  await detail.getByRole('region', { name: 'Refused rows' }).getByText('Nothing was refused').waitFor();
  await detail.getByRole('button', { name: 'Connect anew' }).click();
  await page.getByText('ASTER is being connected anew').waitFor();
  await page.keyboard.press('Escape');
  await detail.waitFor({ state: 'detached' });
});

test('the keyboard alone opens a connection and comes back to its row', async () => {
  const grid = page.getByRole('grid', { name: 'Connections' });
  // The sheet that the last test closed gives the focus back to the table.
  await eventually('the focus in the table', () => grid.evaluate((element) => element === document.activeElement));
  await page.keyboard.press('Home');
  const first = grid.locator('[data-cursor]');
  const name = await first.getByRole('gridcell').nth(1).locator('span > span').first().textContent();
  await page.keyboard.press('Enter');
  const detail = page.getByRole('dialog', { name: new RegExp(`^${name}`) });
  await detail.waitFor();
  await page.keyboard.press('Escape');
  await detail.waitFor({ state: 'detached' });
  await eventually('the focus back in the table', () => grid.evaluate((element) => element === document.activeElement));
  await page.keyboard.press('End');
  await eventually('the last row', async () => {
    const rows = Number(await grid.getAttribute('aria-rowcount'));
    return Number(await grid.locator('[data-cursor]').getAttribute('aria-rowindex')) === rows;
  });
});

test('the strip under a chart says who gave its candles', async () => {
  await goTo(page, 'Trade');
  await chartReady(page);
  const strip = page.getByRole('group', { name: 'Where these candles come from' }).first();
  await strip.and(page.locator('[data-freshness="simulated"]')).waitFor();
  await strip.getByText('SIM', { exact: true }).first().waitFor();
  await strip.getByText(/^updated \d/).waitFor();
  const band = await strip.getByRole('img').boundingBox();
  await page.mouse.move(band.x + band.width / 2, band.y + 3);
  await strip.getByRole('tooltip').filter({ hasText: /^Simulated from SIM, .+ UTC, [\d,]+ candles$/ }).waitFor();
  await page.mouse.move(2, 2);
  await strip.getByRole('button', { name: 'Sources of these candles' }).click();
  const list = page.getByRole('grid', { name: 'Where these candles come from' });
  await list.getByRole('row').nth(1).getByText('Simulated').waitFor();
});

test('what is imported is stored, told apart by its source, and can be saved as a file', async () => {
  const instrument = 'STRIP.FILE';
  const file = join(temporaryDirectory(shared), 'strip.csv');
  const start = Date.UTC(2024, 0, 2, 9);
  // Two stretches with ten hours between them that are missing.
  const rows = Array.from({ length: 60 }, (_, i) => {
    const time = new Date(start + (i < 30 ? i : i + 40) * 900_000).toISOString();
    return [time, 100, 101, 99, 100 + (i % 2), 10].join();
  });
  writeFileSync(file, `time,open,high,low,close,volume\n${rows.join('\n')}\n`);
  await goTo(page, 'Monitor');
  await page.getByRole('tab', { name: 'Data' }).click();
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  const form = page.getByRole('form', { name: 'Import' });
  await form.getByRole('textbox', { name: 'File' }).fill(file);
  await form.getByRole('textbox', { name: 'Symbol' }).fill(instrument);
  await form.getByRole('combobox', { name: 'Timeframe' }).selectOption('15m');
  await form.getByRole('button', { name: 'Import' }).click();
  await form.getByText('60 taken, 0 refused, 0 there already').waitFor();
  // Of the simulated market more is stored with every minute: the row may be far down.
  await page.getByRole('textbox', { name: 'Filter series' }).fill('strip');
  const row = page.getByRole('grid', { name: 'Data' }).getByRole('row', { name: /STRIP\.FILE/ });
  const { coverage } = await engine.call('data.coverage', { instrument });
  assert.equal(coverage[0].gap_count, 1);
  await row.getByRole('img', { name: /^60 candles from .+, 1 gap/ }).waitFor();
  const saved = page.waitForEvent('download');
  await row.getByRole('button', { name: 'Save STRIP.FILE 15m as CSV' }).click();
  const download = await saved;
  assert.equal(download.suggestedFilename(), 'STRIP.FILE_15m.csv');
  assert.equal(readFileSync(await download.path(), 'utf8').trim().split('\n').length, 61);
});

test('the palette finds symbols with who gives their data', async () => {
  await page.keyboard.press('Control+k');
  const palette = page.getByRole('dialog');
  await palette.getByRole('combobox').fill('@strip');
  await palette.getByRole('option', { name: /STRIP.*FILE/ }).waitFor();
  await palette.getByRole('combobox').fill('@btc');
  await palette.getByRole('option', { name: /BTC-PERP.*SIM.*live/ }).waitFor();
  // What a venue has on its list and what is only stored are not the same as what is live.
  const { symbols, unavailable } = await engine.call('symbols.search', { text: 'btc' });
  for (const { instrument, known, live } of symbols) {
    const symbol = instrument.slice(0, instrument.lastIndexOf('.'));
    const venue = instrument.slice(instrument.lastIndexOf('.') + 1);
    const word = known ? (live ? 'live' : 'stored') : 'add';
    await palette.getByRole('option', { name: new RegExp(`^${symbol}\\b.*${venue}.*${word}$`) }).waitFor();
  }
  for (const { venue } of unavailable) await palette.getByText(new RegExp(`^${venue} could not be asked`)).waitFor();
});

for (const theme of ['Light theme', 'Dark theme'])
  test(`axe finds nothing where data comes from: ${theme.toLowerCase()}`, async () => {
    await settings(page, theme);
    await goTo(page, 'Monitor');
    await page.getByRole('tab', { name: 'Data' }).click();
    assert.deepEqual(await violations(page), [], 'data');
    await page.getByRole('tab', { name: 'Connections' }).click();
    await page.getByRole('grid', { name: 'Connections' }).getByRole('row', { name: /ASTER/ }).click();
    await page.getByRole('dialog', { name: /ASTER/ }).waitFor();
    assert.deepEqual(await violations(page), [], 'connection');
    await page.keyboard.press('Escape');
  });
