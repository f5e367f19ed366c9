import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHECKS } from '../../scripts/checks.mjs';

test('names are unique and what a check needs stands before it', () => {
  const seen = new Set();
  for (const check of CHECKS) {
    assert.ok(!seen.has(check.name), `${check.name} is there twice`);
    for (const need of check.needs ?? []) assert.ok(seen.has(need), `${check.name} needs ${need}, which comes later`);
    seen.add(check.name);
  }
});
