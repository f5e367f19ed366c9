import { expect, it } from 'vitest';
import { KNOWN } from '../study.fixtures';
import { groupsOf, optionsOf, rowsFor, search } from './options';

const found = (query: string) => search(KNOWN, query).map((info) => info.name);
const ids = (query: string, group: string | null = null) =>
  optionsOf(rowsFor(query, group, [{ text: 'ema(21)' }, { text: 'close-open' }], KNOWN)).map((option) => option.id);

it('finds by name first, then by words of the title, the group and the definition', () => {
  expect(found('rsi')).toEqual(['rsi']);
  expect(found('moving average')).toEqual(['ema', 'macd']);
  expect(found('momentum')).toEqual(['rsi', 'macd']);
  expect(found('Volume')).toEqual(['vwap', 'obv']);
  expect(found('balance means')).toEqual(['obv']);
  expect(found('xyz')).toEqual([]);
});

it('lists what is on the chart, the way to an expression, then all by group', () => {
  expect(groupsOf(KNOWN)).toEqual(['overlap', 'momentum', 'volume']);
  expect(ids('')).toEqual(
    ['study:0', 'study:1', 'expression'].concat(
      ['ema', 'bb', 'vwap', 'rsi', 'macd', 'obv'].map((name) => `indicator:${name}`),
    ),
  );
  expect(ids('', 'momentum')).toEqual(['indicator:rsi', 'indicator:macd']);
});

it('takes what is no indicator for an expression', () => {
  expect(ids('ema')).toEqual(['indicator:ema', 'study:0']);
  expect(ids('close - ema(50)')).toEqual(['expression']);
  expect(ids('hl2')).toEqual(['expression']);
});
