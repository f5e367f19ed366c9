// The page of a running engine in Chromium, as a person meets it.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { launchChromium } from '../../../scripts/lib/chromium.mjs';
import { afterwards } from './process.mjs';

/**
 * Opens the engine's pairing address. Whatever the page must never do fails the test at its end: an error on the
 * console, an uncaught exception, a request to anywhere but the engine.
 */
export async function openPage(t, engine, { viewport = { width: 1600, height: 900 }, url } = {}) {
  // A page that comes from a folder has no address, and Chromium would keep it from talking to this machine.
  const own = process.env.CANDLEWICK_PAGE ? ['--disable-features=LocalNetworkAccessChecks'] : [];
  const browser = await launchChromium({ args: own });
  const context = await browser.newContext({ viewport, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const complaints = [];
  const expected = [];
  page.on('console', (message) => {
    const text = `console ${message.type()}: ${message.text()}`;
    if (['error', 'warning'].includes(message.type()) && !expected.some((pattern) => pattern.test(text))) complaints.push(text);
  });
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.stack ?? error.message}`));
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (!['data:', 'blob:'].includes(protocol) && host !== engine.ready.http) complaints.push(`asked ${request.url()}`);
  });
  if (process.env.CANDLEWICK_PAGE) await pageFrom(context, process.env.CANDLEWICK_PAGE);
  afterwards(t, async () => {
    await browser.close();
    assert.deepEqual(complaints, []);
  });
  await page.goto(url ?? (await engine.pairingUrl()));
  return { page, context, expect: (pattern) => expected.push(pattern) };
}

/**
 * While working on the page: what was just built (CANDLEWICK_PAGE=ui/dist), under the headers of an engine that has an
 * older one inside. Without the variable the page is the engine's own.
 */
const pageFrom = (context, folder) =>
  context.route(
    (url) => !url.pathname.startsWith('/api/'),
    async (route) => {
      const { pathname } = new URL(route.request().url());
      const path = join(folder, pathname === '/' ? 'index.html' : pathname);
      if (!existsSync(path)) return route.continue();
      if (pathname !== '/') return route.fulfill({ path });
      return route.fulfill({ response: await route.fetch(), path });
    },
  );

/** The large chart: its last price as the legend shows it. */
export const legendClose = (page) => page.locator('[aria-roledescription="chart"] [data-cell="c"]').first();

/** Waits until the first chart has candles. */
export async function chartReady(page) {
  await legendClose(page).filter({ hasText: /\d/ }).waitFor({ timeout: 30_000 });
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** What axe finds wrong on the page as it is: a line per rule with the places. */
export async function violations(page) {
  // evaluate, not addScriptTag: the page's policy refuses injected scripts, and should.
  await page.evaluate(AXE);
  return page.evaluate(async (tags) => {
    const result = await window.axe.run(document, { runOnly: { type: 'tag', values: tags } });
    return result.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
  }, TAGS);
}

/** Chooses an entry of the settings menu. */
export async function settings(page, entry) {
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('menuitemcheckbox', { name: entry }).or(page.getByRole('menuitem', { name: entry })).click();
}

/** Goes to a workspace. */
export const goTo = (page, name) =>
  page.getByRole('navigation', { name: 'Workspaces' }).getByRole('button', { name }).click();

/** Waits until `probe` answers something other than undefined or false; answers it. `what` may tell what was seen last. */
export async function eventually(what, probe, timeoutMs = 30_000) {
  for (const end = Date.now() + timeoutMs; Date.now() < end; ) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`waited ${timeoutMs} ms for ${typeof what === 'function' ? what() : what}`);
}
