// Indicators on a chart: found, added and changed by keyboard alone, and equal to what the engine computes for anybody.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chartReady, eventually, openPage, settings, violations } from '../lib/browser.mjs';
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
const legend = (study) => chart().locator(`[data-study="${study}"]`);
/** Once it is drawn and has a value, and not merely in the list. */
const drawn = (study) => legend(study).locator('[data-cell]').filter({ hasText: /\d/ }).first().waitFor();
const focused = (locator) => locator.evaluate((element) => element === document.activeElement);
const search = () => page.getByRole('combobox', { name: 'Find an indicator' });
/** From the chart to the search field, as a person who has no mouse. */
const openPicker = async () => {
  await chart().focus();
  await page.keyboard.press('/');
  await eventually('the focus in the search', () => focused(search()));
};
const add = async (words) => {
  await openPicker();
  await page.keyboard.type(words);
  await page.getByRole('listbox', { name: 'Indicators' }).getByRole('option').first().waitFor();
  await page.keyboard.press('Enter');
};
/** Back to the chart. The first Escape may lead from the details to the search only. */
const close = async () => {
  await eventually('the picker to close', async () => {
    if ((await search().count()) === 0) return true;
    await page.keyboard.press('Escape');
    return false;
  });
  await eventually('the focus back on the chart', () => focused(chart()));
};
const legends = () => chart().locator('[data-study]').count();
const number = (text) => Number(text.replaceAll(',', '').replace('−', '-'));
/** `macd(12,26,9).signal` and `MACD 12, 26, 9 signal` are one name. */
const bare = (name) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
/** Half of the last digit that is shown. */
const tolerance = (text) => 0.51 * 10 ** -(text.split('.')[1] ?? '').length;

test('an indicator is found, added to its own pane and changed while it is typed', async (t) => {
  await add('convergence');
  await drawn('macd(12,26,9)');
  const fast = page.getByRole('textbox', { name: 'fast' });
  await eventually('the focus in the first parameter', () => focused(fast));
  const from = Date.now();
  await page.keyboard.press('ArrowDown');
  await drawn('macd(11,26,9)');
  t.diagnostic(`from the key to the new line ${Date.now() - from} ms`);
  await fast.fill('1');
  await page.getByText(/^From 2 to/).waitFor();
  assert.equal(await legend('macd(11,26,9)').count(), 1, 'what cannot be computed is not drawn');
  await close();
});

test('an expression is drawn as a study, and a mistake is shown in its place', async () => {
  await openPicker();
  await page.keyboard.type('close - emma(50)');
  await page.locator('pre', { hasText: 'emma' }).filter({ hasText: /^close - emma\(50\)\n {8}\^{4}\n/ }).waitFor();
  await page.keyboard.press('Enter');
  const field = page.getByRole('textbox', { name: /^Expression/ });
  await field.fill('');
  await page.keyboard.type('close - em');
  await page.getByRole('listbox', { name: 'Completions' }).getByRole('option').first().waitFor();
  await page.keyboard.press('Tab');
  await field.fill('close - ema(50)');
  await page.getByText('Enter draws it').waitFor();
  await page.keyboard.press('Enter');
  await drawn('close-ema(50)');
  await close();
});

test('every value is the one that indicators.compute gives', async () => {
  await add('keltner');
  await close();
  for (const study of ['macd(11,26,9)', 'close-ema(50)', 'kc(20,10,2)']) await drawn(study);
  const set = await chart()
    .locator('[data-study]')
    .evaluateAll((entries) => entries.map((entry) => entry.dataset.study).join());
  await page.keyboard.press('Alt+t');
  const grid = page.getByRole('grid', { name: /^Candles of BTC-PERP/ });
  await grid.waitFor();
  // Each look asks both anew: between the two a candle may close, and the table follows the chart by seconds.
  let apart;
  await eventually(
    () => `a table of what the engine computed; seen last: ${apart}`,
    async () => {
      const { columns, rows } = await engine.call('indicators.compute', { instrument: 'BTC-PERP.SIM', timeframe: '15m', set, limit: 6 });
      const [heads, shown] = await grid.evaluate((element) => [
        [...element.querySelectorAll('[role=columnheader]')].map((head) => head.textContent),
        // After the heads comes the candle that is not over.
        [...element.querySelectorAll('[role=row]')]
          .slice(2, 8)
          .map((row) => [...row.querySelectorAll('[role=gridcell]')].map((cell) => cell.textContent)),
      ]);
      const [, ...computed] = columns.map(bare);
      apart = `columns ${heads} for ${columns}`;
      if (String(heads.slice(6).map(bare).sort()) !== String([...computed].sort())) return false;
      apart = `${shown.length} rows for ${rows.length}`;
      if (shown.length !== rows.length) return false;
      for (const [i, cells] of shown.entries())
        for (const [c, head] of heads.slice(6).entries()) {
          const value = rows.at(-1 - i)[1 + computed.indexOf(bare(head))];
          const text = cells[6 + c];
          apart = `${head} of row ${i} is ${text} for ${value}`;
          if (!(Math.abs(number(text) - value) <= tolerance(text))) return false;
        }
      return true;
    },
  );
  await page.keyboard.press('Alt+t');
  await grid.waitFor({ state: 'detached' });
});

test('hiding and removing from the legend', async () => {
  const before = await legends();
  await legend('kc(20,10,2)').hover();
  await legend('kc(20,10,2)').getByRole('button', { name: /^Hide/ }).click();
  await legend('kc(20,10,2)').getByRole('button', { name: /^Show/ }).waitFor();
  await legend('kc(20,10,2)').getByRole('button', { name: /^Remove/ }).click();
  await legend('kc(20,10,2)').waitFor({ state: 'detached' });
  assert.equal(await legends(), before - 1);
});

test('a study that this engine does not know leaves the others on the chart', async () => {
  expect(/400/);
  // As the last test left it: what the page has still to save would replace what is saved here.
  const { layout } = await eventually('the saved layout', async () => {
    const saved = await engine.call('workspaces.get', { name: 'trade' });
    const text = JSON.stringify(saved.layout ?? null);
    return text.includes('close-ema(50)') && !text.includes('kc(20,10,2)') && !text.includes('"table":true') && saved;
  });
  layout.dock.panels['chart-main'].params.studies.push({ text: 'yesterday(3)' });
  await engine.call('workspaces.save', { name: 'trade', layout });
  await page.reload();
  await chartReady(page);
  await legend('yesterday(3)').filter({ hasText: 'yesterday' }).waitFor();
  await drawn('rsi(14)');
});

test('what an indicator cannot know yet is grey and has no value, then it has the engine’s', async () => {
  const instrument = 'SHORT.FILE';
  const file = join(temporaryDirectory(shared), 'short.csv');
  const start = Date.UTC(2024, 0, 2, 9);
  const rows = Array.from({ length: 90 }, (_, i) => {
    const close = 100 + Math.round(500 * Math.sin(i / 7)) / 100;
    return [new Date(start + i * 900_000).toISOString(), close - 0.5, close + 1, close - 1, close, 10 + i].join();
  });
  writeFileSync(file, `time,open,high,low,close,volume\n${rows.join('\n')}\n`);
  const { accepted } = await engine.call('data.import', { file, instrument, timeframe: '15m' });
  assert.equal(accepted, 90);
  await page.reload();
  await chartReady(page);
  await chart().focus();
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog').getByRole('combobox').fill('@short');
  await page.getByRole('dialog').getByRole('option', { name: /SHORT/ }).click();
  const last = legend('ema(55)').locator('[data-cell]');
  await page.mouse.move(2, 2); // the pointer would read a candle
  await chart().locator('p.sr-only').filter({ hasText: /^SHORT 15m: 90 candles/ }).waitFor({ state: 'attached' });
  await chart().focus();
  const { rows: computed } = await eventually('the engine’s values', () =>
    engine.call('indicators.compute', { instrument, timeframe: '15m', set: 'ema(55)', limit: 90 }),
  );
  const known = computed.at(-1)[1];
  await eventually('the newest value', async () => {
    const text = await last.textContent();
    return /\d/.test(text) && Math.abs(number(text) - known) <= tolerance(text);
  });
  assert.equal(await legend('ema(55)').getAttribute('data-warm'), 'true');
  for (let i = 0; i < 60; i += 1) await page.keyboard.press('ArrowLeft');
  await eventually('the value to go', async () => (await legend('ema(55)').getAttribute('data-warm')) === 'false');
  assert.equal(await last.textContent(), '–');
  assert.match(await legend('ema(55)').getAttribute('title'), /warm/i);
  const grey = (study) => legend(study).locator('button').first().evaluate((button) => getComputedStyle(button).color);
  assert.notEqual(await grey('ema(55)'), await grey('ema(21)'), 'told apart by colour as well');
  assert.equal(await legend('ema(21)').getAttribute('data-warm'), 'true');
});

test('studies come and go under the pointer after a look into the past', async () => {
  // What went wrong in a drawing is on the console, and fails the file at its end.
  await page.reload();
  await chartReady(page);
  const box = await chart().boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await chart().focus();
  const asked = [];
  page.on('request', (request) => request.url().endsWith('/chart/window') && asked.push(request.postDataJSON()));
  await eventually('older candles', async () => {
    await page.keyboard.press('PageUp');
    return asked.some(({ before }) => before);
  });
  await page.keyboard.press('End');
  for (const words of ['aroon', 'stochastic', 'convergence']) {
    const before = await legends();
    await add(words);
    await eventually(`one study more: ${words}`, async () => (await legends()) === before + 1);
    await close();
    const price = await chart().locator('[data-cell=c]').first().textContent();
    await page.mouse.move(box.x + box.width - 200, box.y + box.height - 60);
    await page.mouse.move(2, 2); // the legend reads the newest candle again
    await eventually('the next tick', async () => (await chart().locator('[data-cell=c]').first().textContent()) !== price);
    await page.mouse.move(box.x + box.width - 220, box.y + box.height - 60);
    await chart().locator('[data-study]').last().hover();
    await chart().locator('[data-study]').last().getByRole('button', { name: /^Remove/ }).click();
    await eventually('one study less', async () => (await legends()) === before);
  }
});

for (const theme of ['Light theme', 'Dark theme'])
  test(`axe finds nothing in the picker: ${theme.toLowerCase()}`, async () => {
    await settings(page, theme);
    await add('bollinger');
    await page.getByRole('textbox', { name: 'length' }).waitFor();
    assert.deepEqual(await violations(page), []);
    await close();
  });
