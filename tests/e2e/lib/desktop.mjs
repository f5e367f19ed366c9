// The real desktop binary in a real window: Xvfb is the screen, WebKitWebDriver the hand.
// Each test has its own screen, message bus, home and data directory, and nothing of the machine's user is touched.
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Builder, Capabilities } from 'selenium-webdriver';
import { binary } from '../../../scripts/lib/paths.mjs';
import { afterwards, freePort, start, temporaryDirectory } from './process.mjs';

export const DESKTOP = process.env.CANDLEWICK_DESKTOP_BINARY ?? binary('candlewick-desktop', 'dev');

/** A screen and a session bus; answers the environment for programs on it. */
export async function startScreen(t, { size = '1600x900', env = {} } = {}) {
  const home = temporaryDirectory(t, 'candlewick-home-');
  const runtime = join(home, 'run');
  mkdirSync(runtime);
  chmodSync(runtime, 0o700);
  const screen = start(t, 'Xvfb', ['-displayfd', '3', '-screen', '0', `${size}x24`, '-nolisten', 'tcp'], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const display = await screen.line((line) => /^\d+$/.test(line), 20_000);
  const bus = start(t, 'dbus-daemon', ['--session', '--nofork', '--nopidfile', '--print-address'], {
    env: { ...process.env, HOME: home, XDG_RUNTIME_DIR: runtime },
  });
  const address = await bus.line((line) => line.startsWith('unix:'), 20_000);
  return {
    ...process.env,
    HOME: home,
    XDG_RUNTIME_DIR: runtime,
    XDG_DATA_HOME: join(home, 'data'),
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_CACHE_HOME: join(home, 'cache'),
    DISPLAY: `:${display}`,
    WAYLAND_DISPLAY: '',
    GDK_BACKEND: 'x11',
    DBUS_SESSION_BUS_ADDRESS: address,
    NO_AT_BRIDGE: '1',
    ...env,
  };
}

/** Opens the window under WebDriver; answers the driver and the data directory. */
export async function openWindow(t, { env = {}, args = [], dataDir = temporaryDirectory(t) } = {}) {
  const screen = await startScreen(t, { env });
  const port = await freePort();
  const server = start(t, 'WebKitWebDriver', [`--port=${port}`, '--host=127.0.0.1'], {
    env: { ...screen, TAURI_WEBVIEW_AUTOMATION: 'true' },
  });
  await listening(port, server);
  const capabilities = new Capabilities({
    browserName: 'wry',
    'webkitgtk:browserOptions': { binary: DESKTOP, args: ['--data-dir', dataDir, ...args] },
  });
  const driver = await new Builder().usingServer(`http://127.0.0.1:${port}`).withCapabilities(capabilities).build();
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await driver.quit().catch(() => {}); // the window may have closed itself
  };
  afterwards(t, close);
  return { driver, dataDir, close };
}

async function listening(port, server) {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/status`);
      if (response.ok) return;
    } catch {
      // not yet
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`WebKitWebDriver does not answer:\n${server.lines.join('\n')}`);
}

/** Calls a shell command from inside the page, exactly as the page's own code does. */
export function invoke(driver, command, args = {}) {
  return driver.executeAsyncScript(
    `const [command, args, done] = arguments;
     window.__TAURI_INTERNALS__.invoke(command, args).then(
       (value) => done({ ok: value }), (error) => done({ error }));`,
    command,
    args,
  );
}

/** Waits until `probe` (run in the page) answers something truthy; answers it. */
export async function until(driver, what, probe, timeoutMs = 60_000) {
  let last;
  try {
    await driver.wait(async () => {
      last = await driver.executeScript(`return (${probe})()`);
      return Boolean(last);
    }, timeoutMs);
  } catch (error) {
    const text = await driver.executeScript('return document.body.innerText.slice(0, 2000)').catch(() => '');
    throw new Error(`waited ${timeoutMs} ms for ${what}; the page says:\n${text}`, { cause: error });
  }
  return last;
}
