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
import { binary, ROOT } from './lib/paths.mjs';
import { run } from './lib/run.mjs';

/**
 * Every Rust check selects the same packages and, for compiling, all targets: Cargo unites features over what is
 * selected, so a different selection would compile the dependencies a second time.
 * Without a bundle (its build failed, which has been reported) the desktop shell cannot compile; the rest can.
 */
const everything = () => [
  '--locked',
  '--workspace',
  ...(existsSync(join(ROOT, 'ui/dist/index.html')) ? [] : ['--exclude', 'candlewick-desktop']),
];

const ui = (name) => () => run('npm', ['run', name, '--workspace', 'ui']);
const xtask = (...args) => () => run(binary('xtask', 'dev'), args);

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
  { name: 'format', title: 'Rust: format', run: () => run('cargo', ['fmt', '--all', '--check']) },
  { name: 'ui-lint', title: 'UI: format and lints', run: ui('lint') },
  { name: 'ui-build', title: 'UI: types, bundle and its size', run: build.userInterface },
  { name: 'ui-test', title: 'UI: unit tests', run: ui('test') },
  {
    name: 'clippy',
    title: 'Rust: lints',
    run: () => run('cargo', ['clippy', ...everything(), '--all-targets', '--', '-D', 'warnings']),
  },
  { name: 'build', title: 'Rust: build', run: () => run('cargo', ['build', ...everything(), '--all-targets']) },
  { name: 'rust', title: 'Rust: tests, on SQLite and PostgreSQL', run: () => run('cargo', ['test', ...everything()]), needs: ['build'] },
  { name: 'tidy', title: 'Architecture rules', run: xtask('tidy'), needs: ['build'] },
  { name: 'codegen', title: 'Generated files are current', run: xtask('codegen', '--check'), needs: ['build'] },
  { name: 'crash', title: 'Engine: killed, started again, replayed', run: nodeTests('tests/e2e/engine'), needs: ['build'] },
  { name: 'mcp', title: 'MCP: the official Python and TypeScript clients', run: mcpClients, needs: ['build'] },
  { name: 'browser', title: 'Browser: end to end', run: nodeTests('tests/e2e/browser'), needs: ['ui-build', 'build'] },
  { name: 'desktop', title: 'Desktop: the real window, end to end', run: nodeTests('tests/e2e/desktop'), needs: ['ui-build', 'build'] },
  { name: 'docs', title: 'Documentation: every command runs', run: nodeTests('tests/docs'), needs: ['build'] },
];

async function mcpClients() {
  await nodeTests('tests/mcp', async () => ({ PYTHON: await pythonWithMcp() }))();
}
