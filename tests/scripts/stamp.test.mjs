import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../../scripts/lib/paths.mjs';
import { unlessDone } from '../../scripts/lib/stamp.mjs';

test('work is done again only for other contents or a missing result, and after a failure', async (t) => {
  const dir = mkdtempSync(join(ROOT, 'node_modules/.stamp-test-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const input = join(dir, 'input');
  const result = join(dir, 'result');
  const job = { name: `test-${process.pid}`, inputs: [relative(ROOT, input)], result: relative(ROOT, result) };
  t.after(() => rmSync(join(ROOT, 'node_modules/.cache/candlewick', `${job.name}.stamp`), { force: true }));
  const work = () => unlessDone(job, () => writeFileSync(result, 'made'));

  writeFileSync(input, 'one');
  assert.equal(await work(), true);
  assert.equal(await work(), false);
  writeFileSync(input, 'one'); // a new modification time, as after a checkout
  assert.equal(await work(), false);
  writeFileSync(input, 'two');
  await assert.rejects(unlessDone(job, () => { throw new Error('failed half-way'); }));
  assert.equal(await work(), true);
  rmSync(result);
  assert.equal(await work(), true);
});
