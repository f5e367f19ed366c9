// What the engine knows of a chart beyond its lines: setups like this one and how they ended.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chartReady, eventually, goTo, openPage, settings, violations } from '../lib/browser.mjs';
import { startEngine } from '../lib/engine.mjs';
import { scope } from '../lib/process.mjs';

const shared = scope();
let engine;
let page;

after(() => shared.end());
before(async () => {
  engine = await startEngine(shared);
  ({ page } = await openPage(shared, engine));
  await chartReady(page);
  await goTo(page, 'Research');
  await chartReady(page);
});

const subject = { instrument: 'BTC-PERP.SIM', timeframe: '1h' };
const panel = (kind) => page.locator(`section[data-kind="${kind}"]`);
const percent = (ratio) => `${Math.round(ratio * 100)}%`;

test('similar setups are those of the engine, beside how often it rises anyway', async () => {
  const similar = panel('similar');
  await similar.getByRole('img', { name: /similar moments went on/ }).waitFor({ timeout: 60_000 });
  await eventually('the answer of the same candle', async () => {
    const answer = await engine.call('similar.search', subject);
    const rows = await similar.getByRole('table').getByRole('row').evaluateAll((all) => all.slice(1).map((row) => row.innerText.split(/\s+/)));
    const [first] = rows;
    const [outcome] = answer.outcomes;
    return rows.length === answer.outcomes.length && first[0] === `+${outcome.horizon}` && first[1] === percent(outcome.up) && first[2] === percent(outcome.base_up);
  });
});

test('a moment that is chosen is shown on the chart of the group, however long ago it was', async () => {
  const grid = panel('similar').getByRole('grid');
  await grid.focus();
  await page.keyboard.press('ArrowDown');
  const chosen = await grid.locator('[data-cursor]').getByRole('gridcell').first().textContent();
  const chart = page.locator('[aria-roledescription="chart"]').first();
  await eventually('the chart to go there', async () => {
    const box = await chart.boundingBox();
    await page.mouse.move(box.x + box.width * 0.45, box.y + box.height * 0.3);
    await chart.focus();
    const text = await chart.locator('p.sr-only').textContent();
    const [day] = /^\w+ \d+/.exec(chosen) ?? [];
    // A few candles of an hour beside it: the same or the next day.
    const shown = /^(\w+ \d+)/.exec(text ?? '')?.[1];
    return shown !== undefined && Math.abs(Date.parse(`${shown} 2000`) - Date.parse(`${day} 2000`)) <= 3 * 86_400_000;
  });
});

for (const theme of ['Light theme', 'Dark theme'])
  test(`axe finds nothing in the analysis: ${theme.toLowerCase()}`, async () => {
    await settings(page, theme);
    await page.waitForTimeout(300);
    assert.deepEqual(await violations(page), []);
  });
