// News of a simulated venue on the screen: each story once, where it stands on the chart, and what is left without a network.
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chartReady, eventually, goTo, openPage, settings, violations } from '../lib/browser.mjs';
import { CANDLEWICK, startEngine } from '../lib/engine.mjs';
import { scope, start, temporaryDirectory } from '../lib/process.mjs';

const SYMBOL = 'AAPL.ALPACA';
const shared = scope();
let sim;
let engine;
let page;

after(() => shared.end());
before(async () => {
  const config = join(temporaryDirectory(shared), 'sim.toml');
  sim = start(shared, CANDLEWICK, ['sim', '--seed', '11', '--write-config', config]);
  const { venues } = JSON.parse(await sim.line((line) => line.startsWith('{') && line.includes('"event":"ready"')));
  const { rest_url, stream_url } = venues.alpaca;
  // Every search asks: what is kept is only shown when nobody answers.
  appendFileSync(
    config,
    `\n[news]\nfresh_minutes = 0\n\n[news.alpaca]\nkey = "simulated"\nsecret = "simulated"\nrest_url = "${rest_url}"\nstream_url = "${stream_url}"\n`,
  );
  engine = await startEngine(shared, { args: ['--config', config] });
  ({ page } = await openPage(shared, engine, { viewport: { width: 1920, height: 1080 } }));
  await chartReady(page);
  await goTo(page, 'Research');
});

const panel = () => page.locator('section[data-kind="news"]');
const stories = () => panel().getByRole('list', { name: 'News' }).getByRole('listitem');
const search = async (words) => {
  await panel().getByRole('searchbox', { name: 'Search the news' }).fill(words);
  await page.keyboard.press('Enter');
};

test('a story is shown once, with its source, its symbols and its age', async () => {
  await search('central bank');
  const { items } = await eventually('the same stories', async () => {
    const found = await engine.call('news.search', { text: 'central bank', since: new Date(Date.now() - 86_400_000).toISOString(), limit: 50 });
    const shown = await stories().locator('a').evaluateAll((links) => links.map((link) => link.href));
    return found.items.length > 0 && String(shown) === String(found.items.map(({ url }) => url)) && found;
  });
  assert.equal(new Set(items.map(({ url }) => url)).size, items.length);
  // A story that was told by the stream and by the search is one.
  assert.equal(new Set(items.map(({ headline, published_at }) => headline + published_at)).size, items.length);
  const [newest] = items;
  const first = stories().first();
  await first.getByText(`${newest.source} via ${newest.provider}`, { exact: true }).waitFor();
  for (const symbol of newest.symbols) await first.getByText(symbol, { exact: true }).waitFor();
  const age = await first.locator('time').textContent();
  const [, count, unit] = /^(\d+) ([smh])$/.exec(age) ?? assert.fail(age);
  const length = { s: 1_000, m: 60_000, h: 3_600_000 }[unit];
  // The panel looks at the clock twice a minute.
  const apart = Math.abs(count * length - (Date.now() - Date.parse(newest.published_at)));
  assert.ok(apart <= length + 60_000, `${age} for ${newest.published_at}`);
  await panel().getByRole('list', { name: 'News providers' }).getByText('alpaca').waitFor();
});

test('flags on the chart stand where stories about its symbol were published, and tell them', async () => {
  // History that nobody has yet is asked of the venue, which takes its time.
  await engine.call('structure.get', { instrument: SYMBOL, timeframe: '1h' });
  const chart = page.locator('[aria-roledescription="chart"]').first();
  await chart.focus();
  await page.keyboard.press('Control+k');
  const palette = page.getByRole('dialog');
  await palette.getByRole('combobox').fill('@aapl');
  await palette.getByRole('option', { name: /AAPL.*ALPACA/ }).click();
  await page.getByRole('group', { name: /^Price chart of AAPL/ }).waitFor();
  const { items } = await engine.call('news.list', { symbol: SYMBOL, limit: 100 });
  assert.ok(items.length > 0);
  await chart.locator('[data-cell=c]').filter({ hasText: /\d/ }).waitFor({ timeout: 60_000 });
  await page.keyboard.press('End');
  const told = await eventually('a flag under the pointer', async () => {
    const box = await chart.boundingBox();
    for (let x = box.x + box.width - 90; x > box.x + box.width * 0.6; x -= 5) {
      await page.mouse.move(x, box.y + 68);
      const text = await chart.evaluate(
        (element) =>
          new Promise((done) =>
            requestAnimationFrame(() => requestAnimationFrame(() => done(element.querySelector('[role=tooltip]')?.textContent ?? ''))),
          ),
      );
      if (/percent after/.test(text)) return text;
    }
    return false;
  }, 60_000);
  assert.ok(items.some(({ headline, source }) => told.includes(`${source}: ${headline}`)), told);
});

test('without a network the panel shows what is kept, and says so', async () => {
  await search('central bank');
  await stories().first().waitFor();
  const before = await stories().count();
  assert.equal(await sim.stop(), 0);
  await search('central  bank'); // other words, the same stories
  await panel().getByRole('status').filter({ hasText: 'did not answer' }).waitFor({ timeout: 60_000 });
  assert.equal(await stories().count(), before);
});

for (const theme of ['Light theme', 'Dark theme'])
  test(`axe finds nothing in the news: ${theme.toLowerCase()}`, async () => {
    await settings(page, theme);
    assert.deepEqual(await violations(page), []);
  });
