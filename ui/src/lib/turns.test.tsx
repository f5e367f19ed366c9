import { act, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { endTurns, resetTurns, useTurn } from './turns';

function Panel({ kind, id }: { kind: string; id: string }) {
  return useTurn(kind, id) ? <p>{id}</p> : null;
}
const desk = (
  <>
    <Panel kind="watchlist" id="watchlist" />
    <Panel kind="chart" id="first chart" />
    <Panel kind="chart" id="second chart" />
  </>
);
const shown = () => screen.queryAllByRole('paragraph').map((element) => element.textContent);

beforeEach(() => {
  vi.useFakeTimers();
  resetTurns();
});
afterEach(() => vi.useRealTimers());

test('one chart is drawn first, everything after it', () => {
  render(desk);
  expect(shown()).toEqual(['first chart']);
  act(endTurns);
  expect(shown()).toEqual(['watchlist', 'first chart', 'second chart']);
});

test('nobody waits long for a chart that does not come', () => {
  render(<Panel kind="orders" id="orders" />);
  expect(shown()).toEqual([]);
  act(() => vi.advanceTimersByTime(600));
  expect(shown()).toEqual(['orders']);
});
