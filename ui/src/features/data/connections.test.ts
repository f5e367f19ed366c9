import { expect, it } from 'vitest';
import type { Connection } from '@/transport/types';
import { badgesOf, budgetShare, severityOf, statusOf } from './connections';

const connection = (change: Partial<Connection>): Connection => ({
  name: 'X',
  venue: 'X',
  kind: 'websocket',
  state: 'open',
  since: '2026-01-05T10:00:00Z',
  reconnects: 0,
  subscriptions: 1,
  ...change,
});

it.each([
  [{ state: 'open' }, 'ok'],
  [{ state: 'degraded' }, 'degraded'],
  [{ state: 'retrying' }, 'degraded'],
  [{ state: 'connecting' }, 'degraded'],
  [{ state: 'closed' }, 'down'],
  [{ state: 'closed', subscriptions: 0 }, 'off'],
  [{ state: 'closed', subscriptions: 0, last_error: 'the key was refused' }, 'down'],
] as const)('%o is %s', (change, status) => expect(statusOf(connection(change))).toBe(status));

it('puts what is down before what is behind, and that before what is well', () => {
  const states = (['open', 'closed', 'degraded'] as const).map((state) => connection({ state }));
  const sorted = states.sort((a, b) => severityOf(b) - severityOf(a)).map(({ state }) => state);
  expect(sorted).toEqual(['closed', 'degraded', 'open']);
});

it('knows no share of a budget that does not exist', () => {
  expect(budgetShare(connection({}))).toBeNull();
  expect(budgetShare(connection({ budget_left: 30, budget_limit: 120 }))).toBe(0.25);
  expect(budgetShare(connection({ budget_left: 0, budget_limit: 0 }))).toBeNull();
});

it('says what nobody may overlook of a source', () => {
  expect(badgesOf(connection({ pacing: 'delayed' }))).toEqual(['delayed']);
  expect(badgesOf(connection({ notice: 'An unofficial interface; quotes are delayed.' }))).toEqual([
    'delayed',
    'unofficial',
  ]);
  expect(badgesOf(connection({ kind: 'simulated', pacing: 'simulated' }))).toEqual(['simulated']);
});
