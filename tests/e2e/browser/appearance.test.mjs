// Themes, layout, accessibility: everything on the screen, in every workspace.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chartReady, eventually, goTo, openPage, settings, violations } from '../lib/browser.mjs';
import { startEngine } from '../lib/engine.mjs';
import { scope } from '../lib/process.mjs';

const WORKSPACES = ['Trade', 'Research', 'Automate', 'Monitor'];

const background = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

const shared = scope();
let engine;
let page;

after(() => shared.end());
before(async () => {
  engine = await startEngine(shared);
  ({ page } = await openPage(shared, engine));
  await chartReady(page);
});

for (const theme of ['Dark theme', 'Light theme']) {
  test(`axe finds nothing in any workspace: ${theme.toLowerCase()}`, async () => {
    await settings(page, theme);
    for (const workspace of WORKSPACES) {
      await goTo(page, workspace);
      await page.waitForTimeout(500);
      assert.deepEqual(await violations(page), [], workspace);
    }
  });
}

test('the theme is kept over a reload', async () => {
  await settings(page, 'Light theme');
  const light = await background(page);
  await page.reload();
  await page.getByRole('button', { name: 'Settings' }).waitFor();
  assert.equal(await background(page), light);
  await settings(page, 'Dark theme');
  assert.notEqual(await background(page), light);
});

test('a changed layout comes back after a reload, from the engine and not from the browser', async () => {
  await goTo(page, 'Trade');
  await chartReady(page);
  const depth = page.getByRole('tab', { name: 'Depth' });
  await depth.click();
  await depth.press('Delete');
  await depth.waitFor({ state: 'detached' });
  await eventually('the layout to be saved', async () => {
    const { layout } = await engine.call('workspaces.get', { name: 'trade' });
    return layout && !JSON.stringify(layout).includes('"depth"');
  });
  await page.reload();
  await chartReady(page);
  await eventually('the layout without Depth', async () => (await page.getByRole('tab', { name: 'Depth' }).count()) === 0);
});

test('a workspace that is left right after a change comes back with it', async () => {
  await goTo(page, 'Trade');
  await page.getByRole('tab', { name: 'News' }).click();
  await goTo(page, 'Research');
  await goTo(page, 'Trade');
  await page.getByRole('tab', { name: 'News', selected: true }).waitFor();
  assert.equal(await page.getByText('No panels here').count(), 0);
  await eventually('the layout to be saved', async () => {
    const { layout } = await engine.call('workspaces.get', { name: 'trade' });
    return JSON.stringify(layout).includes('"activeView":"news"') && Object.keys(layout.dock.panels).length > 5;
  });
});
