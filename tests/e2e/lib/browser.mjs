// The page of a running engine in Chromium, as a person meets it.
import assert from 'node:assert/strict';
import { launchChromium } from '../../../scripts/lib/chromium.mjs';

/**
 * Opens the engine's pairing address. Whatever the page must never do fails the test at its end: an error on the
 * console, an uncaught exception, a request to anywhere but the engine.
 */
export async function openPage(t, engine, { viewport = { width: 1600, height: 900 }, url } = {}) {
  const browser = await launchChromium();
  const context = await browser.newContext({ viewport, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const complaints = [];
  const expected = [];
  page.on('console', (message) => {
    const text = `console ${message.type()}: ${message.text()}`;
    if (['error', 'warning'].includes(message.type()) && !expected.some((pattern) => pattern.test(text))) complaints.push(text);
  });
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (!['data:', 'blob:'].includes(protocol) && host !== engine.ready.http) complaints.push(`asked ${request.url()}`);
  });
  t.after(async () => {
    await browser.close();
    assert.deepEqual(complaints, []);
  });
  await page.goto(url ?? (await engine.pairingUrl()));
  return { page, context, expect: (pattern) => expected.push(pattern) };
}

/** The large chart: its last price as the legend shows it. */
export const legendClose = (page) => page.locator('[aria-roledescription="chart"] [data-cell="c"]').first();

/** Waits until the first chart has candles. */
export async function chartReady(page) {
  await legendClose(page).filter({ hasText: /\d/ }).waitFor({ timeout: 30_000 });
}

/** Waits until `probe` answers something other than undefined or false; answers it. */
export async function eventually(what, probe, timeoutMs = 30_000) {
  for (const end = Date.now() + timeoutMs; Date.now() < end; ) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`waited ${timeoutMs} ms for ${what}`);
}
