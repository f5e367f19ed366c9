import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closingLine, plan, runChecks } from '../../scripts/lib/plan.mjs';

const pass = () => {};
const fail = () => {
  throw new Error('broken\nwith detail');
};

test('--only brings what a check needs, in the order of the list', () => {
  const checks = [
    { name: 'a', run: pass },
    { name: 'b', run: pass },
    { name: 'c', run: pass, needs: ['a'] },
  ];
  assert.deepEqual(plan(checks, ['c']).map((check) => check.name), ['a', 'c']);
  assert.throws(() => plan(checks, ['d']), /there is no check "d"/);
});

test('a failed check hides nothing, and what needs it counts as failed without running', async () => {
  let ran = false;
  const checks = [
    { name: 'a', run: fail },
    { name: 'b', run: pass },
    { name: 'c', run: () => { ran = true; }, needs: ['a'] },
    { name: 'd', run: pass, needs: ['c'] },
  ];
  const results = await runChecks(checks);
  assert.deepEqual(results.map((result) => result.ok), [false, true, false, false]);
  assert.equal(results[0].error, 'broken');
  assert.equal(ran, false);
  assert.equal(closingLine(results), '1 passed, 3 failed');
});
