// Runs every command of README.md and docs/: the blocks of one page in order, in one fresh directory, with the built
// `candlewick` on the PATH. A page with the comment `<!-- test: running engine -->` finds an engine running.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../../scripts/lib/paths.mjs';
import { CANDLEWICK, startEngine } from '../e2e/lib/engine.mjs';
import { temporaryDirectory } from '../e2e/lib/process.mjs';
import { shellBlocks } from './blocks.mjs';

const pages = ['README.md', ...readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];

for (const page of pages) {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const blocks = shellBlocks(text).filter((block) => !block.skip);
  test(`${page}: ${blocks.length} blocks`, async (t) => {
    const directory = temporaryDirectory(t, 'candlewick-docs-');
    const dataDir = join(directory, 'data');
    const env = {
      ...process.env,
      PATH: `${dirname(CANDLEWICK)}:${process.env.PATH}`,
      CANDLEWICK_DATA_DIR: dataDir,
      HOME: directory,
    };
    if (text.includes('<!-- test: running engine -->')) {
      const engine = await startEngine(t, { dataDir });
      env.CANDLEWICK_URL = engine.base;
    }
    for (const { line, code } of blocks) {
      const result = spawnSync('bash', ['-euo', 'pipefail', '-c', code], {
        cwd: directory, env, encoding: 'utf8', timeout: 120_000,
      });
      assert.equal(result.status, 0, `${page}:${line}\n${code}\n${result.stdout}${result.stderr}`);
    }
  });
}
