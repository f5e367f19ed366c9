// System packages: what is needed, why, and how to get it on this machine.
// Nothing is installed that is already there, and every installation says what it is for.
import { existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { output, onPath, run, exitCode, Stop, bold } from './run.mjs';
import { findChromium } from './chromium-path.mjs';
import { ROOT, SCRATCH } from './paths.mjs';

/** Debian 12 and Ubuntu 24.04 have all of these under the same names. */
const PACKAGES = {
  engine: {
    'build-essential': 'C compiler and linker for Rust and the bundled SQLite',
    'pkg-config': 'finds libraries for the build',
  },
  desktop: {
    'libwebkit2gtk-4.1-dev': 'the web engine that draws the window',
    'libayatana-appindicator3-1': 'the icon in the system tray',
    'dbus-x11': 'message bus for notifications and the keychain',
  },
  bench: {
    sqlite3: 'yardstick of the import benchmark',
  },
  test: {
    postgresql: 'the store conformance suite runs on a real PostgreSQL',
    sqlite3: 'yardstick of the import test',
    xvfb: 'a screen for the desktop tests',
    xauth: 'lets programs onto that screen',
    'webkit2gtk-driver': 'drives the real window in the desktop tests',
    'gnome-keyring': 'a real keychain for the secret tests',
    'python3-venv': 'the official Python MCP client runs against the server',
    'fonts-dejavu-core': 'text in screenshots',
  },
};

const PREREQUISITES = {
  darwin: 'Xcode command line tools (xcode-select --install), rustup (https://rustup.rs), Node.js 20 or newer',
  win32:
    'Microsoft C++ Build Tools, WebView2 (part of Windows 11), rustup (https://rustup.rs), Node.js 20 or newer',
};

/** Whether a window can be opened here. */
export function hasDisplay() {
  return process.platform !== 'linux' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

export function checkTools() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Stop(`Node.js ${process.versions.node} is too old: 20.19 or newer is needed`);
  }
  if (!onPath('cargo')) {
    throw new Stop('cargo was not found: install Rust from https://rustup.rs and open a new terminal');
  }
}

/** Installs what is missing of the named sets ('engine', 'desktop', 'test'). */
export async function ensureSystem(...sets) {
  checkTools();
  if (process.platform !== 'linux') {
    console.log(`Needed on this system: ${PREREQUISITES[process.platform] ?? 'a C compiler, rustup, Node.js 20'}`);
    return;
  }
  if (!onPath('dpkg-query')) {
    const names = sets.flatMap((set) => Object.keys(PACKAGES[set])).join(', ');
    console.log(`Not Debian or Ubuntu: install the equivalents of ${names} yourself if the build misses them.`);
    return;
  }
  const missing = sets.flatMap((set) => Object.entries(PACKAGES[set])).filter(([name]) => !isInstalled(name));
  if (sets.includes('test') && !findChromium() && !isUbuntu()) {
    missing.push(['chromium', 'the browser of the end-to-end tests']);
  }
  const vectors = sets.includes('test') && pgvector();
  if (vectors && !isInstalled(vectors)) missing.push([vectors, 'vectors in PostgreSQL, for the store conformance suite']);
  if (missing.length > 0) await install(missing);
}

/** Ubuntu's `chromium` package only refers to a snap, so there the browser comes from Playwright. Needs npm ci. */
export async function ensureBrowser() {
  if (findChromium()) return;
  if (process.platform === 'linux' && !isUbuntu()) throw new Stop('no Chromium found; install the package chromium');
  console.log('Installing Chromium for the end-to-end tests (Playwright’s build)');
  await run(process.execPath, ['node_modules/playwright-core/cli.js', 'install', '--with-deps', 'chromium'], { cwd: ROOT });
}

/**
 * The package of pgvector for this system's PostgreSQL, where there is one: Ubuntu 24.04 and Debian 13 have it, Debian 12
 * does not, and there the suite holds the store to what it says without it.
 */
function pgvector() {
  const server = /postgresql-(\d+)\b/.exec(output('apt-cache', ['depends', 'postgresql']) ?? '')?.[1];
  const name = server && `postgresql-${server}-pgvector`;
  return name && output('apt-cache', ['show', name]) !== undefined ? name : null;
}

function isInstalled(name) {
  return output('dpkg-query', ['-W', '-f=${db:Status-Abbrev}', name])?.startsWith('ii') ?? false;
}

function isUbuntu() {
  return existsSync('/etc/os-release') && /^ID=ubuntu$/m.test(readFileSync('/etc/os-release', 'utf8'));
}

async function install(packages) {
  console.log(bold('Installing system packages:'));
  for (const [name, why] of packages) console.log(`  ${name.padEnd(28)} ${why}`);
  const names = packages.map(([name]) => name);
  const root = process.getuid() === 0;
  if (!root && !onPath('sudo')) {
    throw new Stop(`run as root, then try again:  apt-get install ${names.join(' ')}`);
  }
  const log = join(SCRATCH, 'apt.log');
  mkdirSync(SCRATCH, { recursive: true });
  const out = openSync(log, 'w');
  const apt = (...args) => {
    const command = [
      ...(root ? [] : ['sudo']),
      ...['env', 'DEBIAN_FRONTEND=noninteractive', 'NEEDRESTART_MODE=a'],
      ...['apt-get', '-o', 'DPkg::Lock::Timeout=600', ...args],
    ];
    return exitCode(command[0], command.slice(1), { stdio: ['inherit', out, 'inherit'] });
  };
  const args = ['install', '-y', '--no-install-recommends', ...names];
  if ((await apt(...args)) === 0) return;
  console.log('The package lists may be missing or old; refreshing them once.');
  await apt('update');
  if ((await apt(...args)) !== 0) throw new Stop(`could not install: ${names.join(' ')}\nThe package manager's words are in ${log}`);
}
