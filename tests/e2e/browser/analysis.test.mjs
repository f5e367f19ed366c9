// What the engine knows of a chart beyond its lines: setups like this one and how they ended.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { chartReady, eventually, goTo, openPage, settings, violations } from '../lib/browser.mjs';
import { startEngine } from '../lib/engine.mjs';
import { scope } from '../lib/process.mjs';

const shared = scope();
let engine;
let page;

after(() => shared.end());
afterEach(() => page.keyboard.press('Escape')); // what a failed test left open is not the next one's problem
before(async () => {
  engine = await startEngine(shared);
  ({ page } = await openPage(shared, engine));
  await chartReady(page);
  await goTo(page, 'Research');
  await chartReady(page);
});

const subject = { instrument: 'BTC-PERP.SIM', timeframe: '1h' };
const panel = (kind) => page.locator(`section[data-kind="${kind}"]`);
// By its decimals, as the page does: 0.575 is 58 %, and 57.49… as a product of floats.
const percent = (ratio) => new Intl.NumberFormat('en', { style: 'percent' }).format(String(ratio));

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

test('the narrative is the engine’s, and a sentence shows the fields that it came from', async () => {
  const narrative = panel('narrative');
  const { sentences } = await eventually('the sentences of the same candle', async () => {
    const answer = await engine.call('narrative.get', subject);
    const shown = await narrative.locator('[role=button]').allTextContents();
    return answer.sentences.every((sentence) => shown.includes(sentence.text)) && answer;
  });
  const sentence = sentences.find(({ fields, section }) => section !== 'headline' && fields.length > 1);
  await narrative.getByRole('button', { name: sentence.text, exact: true }).first().focus();
  const source = narrative.getByRole('region', { name: 'Where it comes from' });
  for (const field of sentence.fields) await source.getByText(field.path, { exact: true }).first().waitFor();
});

/** What the chart says at every place of a line across it: titles in the order they were met. */
const saidAlong = async (points) => {
  const said = [];
  for (const [x, y] of points) {
    await page.mouse.move(x, y);
    // The chart looks at the pointer once in a frame, and says it in the next.
    const text = await chart().evaluate(
      (element) =>
        new Promise((done) =>
          requestAnimationFrame(() => requestAnimationFrame(() => done(element.querySelector('[role=tooltip]')?.textContent ?? ''))),
        ),
    );
    if (text && text !== said.at(-1)) said.push(text);
  }
  return said;
};
const chart = () => page.locator('[aria-roledescription="chart"]').first();
/** The price's pane: it ends where the volume begins. */
const pricePane = async () => {
  const box = await chart().boundingBox();
  const volume = await chart().getByText('Volume').boundingBox();
  return { left: box.x, right: box.x + box.width - 80, top: box.y + 50, bottom: volume.y - 8 };
};
const steps = (from, to, by) => Array.from({ length: Math.max(0, Math.ceil((to - from) / by)) }, (_, i) => from + i * by);
/** Where a candle of an hour stands: measured at two candles that the legend reads. */
const timeAxis = async (instrument, ...at) => {
  const { candles } = await engine.call('candles.get', { instrument, timeframe: '1h', limit: 300 });
  const rows = new Map(candles.map(({ open, high, low, close, open_time }) => [[open, high, low, close].map(Number).join(), Date.parse(open_time)]));
  const y = (await pricePane()).top + 60;
  const timeAt = (x) =>
    eventually(`the candle at ${x}`, async () => {
      await saidAlong([[x, y]]);
      const cells = await chart().evaluate((element) =>
        ['o', 'h', 'l', 'c'].map((id) => element.querySelector(`[data-cell="${id}"]`).textContent),
      );
      return rows.get(cells.map((text) => Number(text.replaceAll(',', ''))).join());
    });
  const [a, b] = [await timeAt(at[0]), await timeAt(at[1])];
  assert.ok(b > a, 'time goes to the right');
  return (time) => at[0] + ((time - a) / (b - a)) * (at[1] - at[0]);
};
const newest = async () => {
  await page.keyboard.press('Escape');
  await chart().focus();
  await page.keyboard.press('End');
};

test('support and resistance on the chart are the levels of the engine', async () => {
  await newest();
  const { left, right, top, bottom } = await pricePane();
  const said = await eventually('a level under the pointer', async () => {
    const all = await saidAlong(steps(top, bottom, 4).map((y) => [left + (right - left) * 0.93, y]));
    const levels = all.filter((text) => /^(Support|Resistance) \d/.test(text));
    return levels.length > 0 && levels;
  });
  const { levels } = await engine.call('structure.get', subject);
  const known = levels.map(({ side, price, touches }) => `${side} ${price.toFixed(1)} ${touches}`);
  for (const text of said) {
    const [, side, price, touches] = /^(Support|Resistance) ([\d,.]+)Touched (\d+) times/.exec(text) ?? assert.fail(text);
    const level = `${side.toLowerCase()} ${Number(price.replaceAll(',', '')).toFixed(1)} ${touches}`;
    assert.ok(known.includes(level), `${level} is one of ${known.join(' · ')}`);
  }
});

test('candlestick patterns on the chart are those of the scan, each with what it means', async () => {
  await newest();
  const { left, right, top, bottom } = await pricePane();
  const { hits } = await engine.call('patterns.scan', { ...subject, limit: 120 });
  const { patterns } = await engine.call('patterns.list');
  const info = new Map(patterns.map((pattern) => [pattern.name, pattern]));
  const expected = new Set(hits.map(({ pattern, signal }) => `${info.get(pattern).title} (${signal > 0 ? '+' : '−'}${Math.abs(signal)}): ${info.get(pattern).doc}`));
  const met = [];
  for (const y of steps(top + (bottom - top) * 0.3, bottom - 30, 24)) {
    met.push(...(await saidAlong(steps(left + 20, right - 60, 16).map((x) => [x, y]))));
    if (met.filter((text) => /^(Bullish|Bearish)/.test(text)).length >= 3) break;
  }
  const signs = met.filter((text) => /^(Bullish|Bearish)/.test(text));
  assert.ok(signs.length >= 3, `patterns in sight: ${signs.length}`);
  for (const text of signs) assert.ok([...expected].some((words) => text.includes(words)), text);
});

test('the regime ribbon says since when and why, and the menu takes it off', async () => {
  await newest();
  const { left, right, bottom } = await pricePane();
  const foot = bottom - 6; // above the handle that resizes the panes
  const across = steps(left + 10, right, 24).map((x) => [x, foot]);
  const said = await eventually('the regime under the pointer', async () => {
    const all = (await saidAlong(across)).filter((text) => /^(Uptrend|Downtrend|Range)/.test(text));
    return all.length > 0 && all;
  });
  const { regime } = await engine.call('structure.get', subject);
  const words = { up: 'Uptrend', down: 'Downtrend', range: 'Range' };
  assert.ok(said.at(-1).startsWith(`${words[regime.trend]} · ${regime.volatility} volatility · ${percent(regime.confidence)}`), said.at(-1));
  await page.getByRole('button', { name: 'Analysis on the chart' }).click();
  const menu = page.getByRole('dialog', { name: 'Analysis on the chart' });
  await menu.getByRole('switch', { name: 'Regime' }).click();
  await page.keyboard.press('Escape');
  const after = (await saidAlong(across)).filter((text) => /^(Uptrend|Downtrend|Range)/.test(text));
  assert.deepEqual(after, []);
});

test('a chart pattern is drawn through its swings, with its break, its retest and its target', async () => {
  // The simulated markets differ: one of them has a pattern among the candles that a chart shows at first.
  const { instruments } = await engine.call('symbols.list');
  const from = Date.now() - 100 * 3_600_000;
  let found;
  for (const { id, symbol } of instruments) {
    const { patterns } = await engine.call('structure.get', { instrument: id, timeframe: '1h' });
    const shown = patterns.slice(-6);
    const pattern = shown.find((each) => each.confirmed_at && each.points.length > 2 && each.points.every(({ time }) => Date.parse(time) > from));
    if (pattern) found = { id, symbol, pattern };
    if (found?.pattern.retested_at) break;
  }
  assert.ok(found, 'a confirmed chart pattern in 25 markets');
  await chart().focus();
  await page.keyboard.press('x');
  const field = page.getByRole('dialog').getByRole('combobox');
  await field.fill(found.symbol);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: new RegExp(`^${found.symbol}`) }).first().waitFor();
  const name = found.pattern.kind.replaceAll('_', ' ').replace(/^./, (first) => first.toUpperCase());
  await newest();
  const { left, right, top, bottom } = await pricePane();
  const xOf = await timeAxis(found.id, left + (right - left) * 0.5, left + (right - left) * 0.9);
  const swings = found.pattern.points.map(({ time }) => xOf(Date.parse(time)));
  assert.ok(swings[0] > left && swings.at(-1) < right, `${name} is in sight: ${swings} of ${left} to ${right}`);
  // Its lines are found wherever they pass between two swings, unless a younger pattern lies over them there.
  const between = swings.slice(1).flatMap((x, i) => [0.5, 0.3, 0.7].map((part) => swings[i] + (x - swings[i]) * part));
  const text = await eventually(`${name} under the pointer`, async () => {
    for (const x of between) {
      const said = await saidAlong(steps(top, bottom - 20, 4).map((y) => [x, y]));
      const text = said.find((each) => each.startsWith(`${name}: `) && each.includes('Broke at'));
      if (text) return text;
    }
    return false;
  }, 120_000);
  assert.ok(text.includes('Measured target') || found.pattern.target === undefined, text);
});

for (const theme of ['Light theme', 'Dark theme'])
  test(`axe finds nothing in the analysis: ${theme.toLowerCase()}`, async () => {
    await settings(page, theme);
    await page.waitForTimeout(300);
    assert.deepEqual(await violations(page), []);
  });
