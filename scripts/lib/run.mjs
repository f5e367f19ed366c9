// Starting programs and talking to the person at the terminal.
import { spawn, spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { ROOT } from './paths.mjs';

const color = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code) => (text) => (color ? `\x1b[${code}m${text}\x1b[0m` : text);
export const bold = paint('1');
export const red = paint('31');
export const green = paint('32');
export const dim = paint('2');

export function heading(text) {
  console.log(`\n${bold(`── ${text} ${'─'.repeat(Math.max(0, 90 - text.length))}`)}`);
}

export function seconds(since) {
  return ((performance.now() - since) / 1000).toFixed(1);
}

/** What a script prints instead of a stack trace: the sentence says what to do. */
export class Stop extends Error {}

/** Runs `main`; a `Stop` ends the process with its sentence and code 1, anything else with its stack. */
export async function script(main) {
  try {
    const code = await main();
    process.exitCode = typeof code === 'number' ? code : 0;
  } catch (error) {
    console.error(error instanceof Stop ? red(error.message) : error);
    process.exitCode = 1;
  }
}

/** Runs a program with this terminal's output; throws a `Stop` when it fails. */
export async function run(command, args = [], options = {}) {
  const code = await exitCode(command, args, options);
  if (code !== 0) throw new Stop(`failed (${code}): ${[command, ...args].join(' ')}`);
}

/**
 * As `run`, but hands the exit code back. A program that cannot be started counts as 127.
 * With `foreground`, signals are the program's: this process outlives it to report its exit code.
 */
export function exitCode(
  command,
  args = [],
  { cwd = ROOT, env = {}, echo = true, stdio = 'inherit', timeoutMs, foreground = false } = {},
) {
  if (echo) console.log(dim(`$ ${[command, ...args].join(' ')}`));
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio,
      shell: process.platform === 'win32' && command === 'npm',
    });
    const timer = timeoutMs && setTimeout(() => {
      console.error(red(`no end after ${timeoutMs / 1000} s; stopped: ${command}`));
      child.kill('SIGKILL');
    }, timeoutMs);
    if (foreground) {
      process.on('SIGINT', () => {}); // the terminal sends Ctrl-C to the program as well
      process.on('SIGTERM', () => child.kill('SIGTERM'));
    }
    child.on('error', (error) => {
      clearTimeout(timer);
      console.error(red(`${command}: ${error.message}`));
      resolve(127);
    });
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      resolve(code ?? `killed by ${signal}`);
    });
  });
}

/** Standard output of a program that is expected to work, or undefined. */
export function output(command, args = []) {
  const result = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8' });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

export function onPath(command) {
  return output(process.platform === 'win32' ? 'where' : 'which', [command]) !== undefined;
}

export const CORES = cpus().length;
