// Every check of `npm test`, in the order they run: what is quick and says most comes first.
// A check is one entry:
//   name   short, for `npm test -- --only name,other`
//   title  what a person reads
//   run    throws when the check fails (helpers below), or answers a text that says why it does not apply here
//   needs  names of checks without which this one means nothing
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as build from './lib/build.mjs';
import { pythonWithMcp } from './lib/python.mjs';
import { ROOT } from './lib/paths.mjs';
import { run } from './lib/run.mjs';

const SHELL = 'candlewick-desktop';

const cargo = (...args) => () => run('cargo', args);
const ui = (name) => () => run('npm', ['run', name, '--workspace', 'ui']);

/** Node's own runner, one file after the other: each starts a real engine and the machine may have two cores. */
const nodeTests = (directory, env = {}) => async () => {
  const files = readdirSync(join(ROOT, directory), { recursive: true }).filter((name) => name.endsWith('.test.mjs'));
  if (files.length === 0) throw new Error(`no tests in ${directory}`);
  const paths = files.sort().map((name) => join(directory, name));
  await run(process.execPath, ['--test', '--test-concurrency=1', '--test-reporter=spec', ...paths], {
    env: typeof env === 'function' ? await env() : env,
  });
};

export const CHECKS = [
  { name: 'scripts', title: 'Scripts: their own tests', run: nodeTests('tests/scripts') },
  { name: 'format', title: 'Rust: format', run: cargo('fmt', '--all', '--check') },
  { name: 'ui-lint', title: 'UI: format and lints', run: ui('lint') },
  { name: 'ui-types', title: 'UI: types', run: ui('typecheck') },
  { name: 'ui-test', title: 'UI: unit tests', run: ui('test') },
  { name: 'ui-build', title: 'UI: bundle', run: build.userInterface },
  { name: 'ui-size', title: 'UI: size of the bundle', run: ui('budget'), needs: ['ui-build'] },
  {
    name: 'clippy',
    title: 'Rust: lints',
    run: cargo('clippy', '--locked', '--workspace', '--exclude', SHELL, '--all-targets', '--', '-D', 'warnings'),
  },
  {
    name: 'clippy-shell',
    title: 'Rust: lints of the desktop shell',
    run: cargo('clippy', '--locked', '-p', SHELL, '--all-targets', '--', '-D', 'warnings'),
    needs: ['ui-build'],
  },
  { name: 'rust', title: 'Rust: tests', run: cargo('test', '--locked', '--workspace', '--exclude', SHELL) },
  { name: 'rust-shell', title: 'Rust: tests of the desktop shell', run: cargo('test', '--locked', '-p', SHELL), needs: ['ui-build'] },
  { name: 'tidy', title: 'Architecture rules', run: cargo('xtask', 'tidy') },
  { name: 'codegen', title: 'Generated files are current', run: cargo('xtask', 'codegen', '--check') },
  { name: 'build', title: 'Binaries for the end-to-end tests', run: binaries, needs: ['ui-build'] },
  { name: 'mcp', title: 'MCP: the official Python and TypeScript clients', run: mcpClients, needs: ['build'] },
  { name: 'browser', title: 'Browser: end to end', run: nodeTests('tests/e2e/browser'), needs: ['build'] },
  { name: 'desktop', title: 'Desktop: the real window, end to end', run: nodeTests('tests/e2e/desktop'), needs: ['build'] },
  { name: 'docs', title: 'Documentation: every command runs', run: nodeTests('tests/docs'), needs: ['build'] },
];

async function binaries() {
  await build.headless('dev');
  await build.desktop('dev');
}

async function mcpClients() {
  if (!existsSync(join(ROOT, 'tests/mcp'))) throw new Error('tests/mcp is missing');
  await nodeTests('tests/mcp', async () => ({ PYTHON: await pythonWithMcp() }))();
}
