// What the window lets the page do, and what it does not. One window for the whole file: these tests only look.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { invoke, openWindow, until } from '../lib/desktop.mjs';
import { scope } from '../lib/process.mjs';

const shared = scope();
let driver;

after(() => shared.end());
before(async () => {
  ({ driver } = await openWindow(shared));
  await until(driver, 'the page', () => document.querySelector('#root')?.childElementCount > 0);
});

test('a command of the registry answers over IPC', async () => {
  const { ok } = await invoke(driver, 'call', { name: 'health.get', body: {} });
  assert.equal(ok.status, 'ok');
  assert.match(ok.version, /^\d+\.\d+\.\d+/);
});

test('an error is the same object as on every other surface', async () => {
  const { error } = await invoke(driver, 'call', { name: 'healht.get', body: {} });
  assert.equal(error.code, 'unknown_command');
  assert.match(error.message, /did you mean health\.get/);
  assert.match(error.trace_id, /^[0-9a-f]{32}$/);
  const invalid = await invoke(driver, 'call', { name: 'candles.get', body: { instrument: 'BTC-PERP.SIM' } });
  assert.equal(invalid.error.code, 'invalid_request');
  assert.equal(invalid.error.field, 'timeframe');
});

test('candles cross as columns of numbers', async () => {
  const frame = await driver.executeAsyncScript(() => {
    const done = arguments[0];
    const body = { instrument: 'BTC-PERP.SIM', timeframe: '1m', limit: 500, set: 'ema(21)' };
    window.__TAURI_INTERNALS__.invoke('call_binary', { name: 'chart.window', body }).then(
      (buffer) => {
        const length = new DataView(buffer).getUint32(4, true);
        const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
        const values = new Float64Array(buffer, 8 + length);
        const column = (name) => {
          const at = header.columns.indexOf(name) * header.rows;
          return Array.from(values.subarray(at, at + header.rows));
        };
        done({ header, time: column('time'), high: column('high'), low: column('low') });
      },
      (error) => done({ error }),
    );
  });
  assert.equal(frame.error, undefined, JSON.stringify(frame.error));
  assert.equal(frame.header.rows, 500);
  assert.deepEqual(frame.header.columns.slice(0, 6), ['time', 'open', 'high', 'low', 'close', 'volume']);
  for (let i = 1; i < 500; i += 1) {
    assert.equal(frame.time[i] - frame.time[i - 1], 60, `candle ${i} follows its predecessor`);
    assert.ok(frame.low[i] <= frame.high[i]);
  }
});

test('a stream counts without a gap, starts with a snapshot and ends when asked', async () => {
  const seen = await driver.executeAsyncScript(() => {
    const done = arguments[0];
    const { invoke, transformCallback } = window.__TAURI_INTERNALS__;
    const messages = [];
    let after = 0;
    let ended = false;
    // A channel as @tauri-apps/api makes it, for a page of its own beside the real one.
    const id = transformCallback(({ message }) => {
      for (const envelope of message ?? []) {
        if (envelope.id !== 900_001) continue;
        if (ended) after += 1;
        else messages.push([envelope.topic, envelope.seq, envelope.kind]);
      }
      if (messages.length >= 20 && !ended) {
        invoke('unsubscribe', { id: 900_001 }).then(() => {
          ended = true;
          setTimeout(() => done({ messages, after }), 1_000);
        });
      }
    });
    invoke('open_stream', { channel: `__CHANNEL__:${id}` })
      .then(() => invoke('subscribe', { id: 900_001, topic: 'quotes', params: {} }))
      .catch((error) => done({ error }));
  });
  assert.equal(seen.error, undefined, JSON.stringify(seen.error));
  seen.messages.forEach(([topic, seq, kind], i) => {
    assert.equal(topic, 'quotes');
    assert.equal(seq, i + 1);
    assert.equal(kind, i === 0 ? 'snapshot' : 'delta');
  });
  assert.ok(seen.after <= 1, `${seen.after} messages after the end; one may have been on its way`);
  await driver.navigate().refresh(); // gives the real page its stream back
});

test('the page has no permission beyond the registry', async () => {
  for (const command of ['plugin:window|set_title', 'plugin:event|emit', 'plugin:webview|create_webview_window', 'plugin:path|resolve_directory']) {
    const { ok, error } = await invoke(driver, command, { label: 'main', value: 'owned', event: 'x', directory: 1 });
    assert.equal(ok, undefined, command);
    assert.match(String(error), /not allowed|not found/, command);
  }
  assert.equal(await driver.executeScript('return typeof window.__TAURI__'), 'undefined');
});

test('injected code does not run and prototypes cannot be poisoned', async () => {
  const outcome = await driver.executeScript(() => {
    const script = document.createElement('script');
    script.textContent = 'window.injected = true';
    document.body.append(script);
    let poisoned = false;
    try {
      Object.prototype.poison = true;
      poisoned = {}.poison === true;
    } catch {
      // frozen
    }
    return { injected: window.injected === true, poisoned };
  });
  assert.deepEqual(outcome, { injected: false, poisoned: false });
});
