import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shellBlocks } from './blocks.mjs';

const fence = '```';

test('shell blocks are found with their line, others are left alone', () => {
  const text = `# Title\n${fence}sh\none\ntwo\n${fence}\n${fence}toml\nx = 1\n${fence}\n${fence}sh not-run: opens a window\nnpm start\n${fence}\n`;
  assert.deepEqual(shellBlocks(text), [
    { line: 3, code: 'one\ntwo', skip: undefined },
    { line: 10, code: 'npm start', skip: 'opens a window' },
  ]);
});

test('a block cannot escape the test by another name, a typo or a missing end', () => {
  assert.throws(() => shellBlocks(`${fence}bash\nx\n${fence}`), /line 2: mark/);
  assert.throws(() => shellBlocks(`${fence}sh skip\nx\n${fence}`), /is not/);
  assert.throws(() => shellBlocks(`${fence}sh not-run:\nx\n${fence}`), /is not/);
  assert.throws(() => shellBlocks(`${fence}sh\nx`), /not closed/);
});
