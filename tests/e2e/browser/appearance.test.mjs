// Themes, layout, accessibility: everything on the screen, in every workspace.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { chartReady, eventually, openPage } from '../lib/browser.mjs';
import { startEngine } from '../lib/engine.mjs';
import { scope } from '../lib/process.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const WORKSPACES = ['Trade', 'Research', 'Automate', 'Monitor'];

const background = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
const settings = async (page, entry) => {
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('menuitemcheckbox', { name: entry }).or(page.getByRole('menuitem', { name: entry })).click();
};
const goTo = (page, name) => page.getByRole('navigation', { name: 'Workspaces' }).getByRole('button', { name }).click();

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
      // evaluate, not addScriptTag: the page's policy refuses injected scripts, and should.
      await page.evaluate(AXE);
      const violations = await page.evaluate(async () => {
        const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
        const result = await window.axe.run(document, { runOnly: { type: 'tag', values: tags } });
        return result.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
      });
      assert.deepEqual(violations, [], workspace);
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
