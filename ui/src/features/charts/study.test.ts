import { describe, expect, it } from 'vitest';
import { chartParams } from './chart.params';
import { planFor } from './studies';
import {
  badParam,
  canonical,
  columnsOf,
  defaultStudy,
  indicatorStudy,
  readCall,
  splitTop,
  studyTitle,
  writeStudy,
} from './study';
import { KNOWN } from './study.fixtures';

describe('text of a study', () => {
  it.each([
    ['  ema( 21 ) ', 'ema(21)'],
    ['close - ema(50)', 'close-ema(50)'],
    ['close > open  and rsi < 30', 'close>open and rsi<30'],
    ['a b', 'a b'],
  ])('%s is named %s', (written, name) => expect(canonical(written)).toBe(name));

  it('is cut at commas outside of brackets and quotes', () => {
    expect(splitTop('ema(21),bb(20,2),on("1h, x",sma(5))')).toEqual(['ema(21)', 'bb(20,2)', 'on("1h, x",sma(5))']);
  });

  it.each(['ema(5)-ema(9)', 'close-open', '(rsi)', 'ema(5)[1]'])('%s is no single call', (text) =>
    expect(readCall(text)).toBeNull(),
  );

  it.each([
    ['ema(21)', null, ['21'], 'ema(21)'],
    ['ema', null, ['9'], 'ema(9)'],
    ['ema(rsi(14),9)', 'rsi(14)', ['9'], 'ema(rsi(14),9)'],
    ['bb(close,20)', 'close', ['20', '2'], 'bb(close,20,2)'],
    ['vwap', null, ['24'], 'vwap(24)'],
    ['obv', null, [], 'obv'],
  ])('%s is read and written back with its defaults', (text, series, values, written) => {
    const study = indicatorStudy(text, KNOWN);
    expect(study).toMatchObject({ series, values });
    expect(study && writeStudy(study)).toBe(written);
  });

  it.each(['ema(4*5)', 'ema(1,2)', 'obv(close)', 'nothing(3)', 'close-ema(5)'])(
    '%s has no parameters to edit',
    (text) => expect(indicatorStudy(text, KNOWN)).toBeNull(),
  );

  it('has a title for people', () => {
    expect(studyTitle('bb(20,2)')).toBe('BB 20, 2');
    expect(studyTitle('close-ema(50)')).toBe('close - ema(50)');
    expect(defaultStudy(KNOWN[1] as never)).toBe('bb(20,2)');
  });

  it('names the columns of its outputs and no other study’s', () => {
    const names = ['time', 'ema(5)', 'macd(12,26,9)', 'macd(12,26,9).signal', 'ema(5)-macd(12,26,9).signal', 'ema(50)'];
    expect(columnsOf('macd(12,26,9)', names)).toEqual([
      { column: 2, output: '' },
      { column: 3, output: 'signal' },
    ]);
    expect(columnsOf('ema(5)', names)).toEqual([{ column: 1, output: '' }]);
    expect(columnsOf('ema(5)-macd(12,26,9).signal', names)).toEqual([{ column: 4, output: '' }]);
  });
});

it.each([
  ['14', null],
  ['x', 'notNumber'],
  ['', 'notNumber'],
  ['2.5', 'notWhole'],
  ['0', 'outOfRange'],
  ['9999', 'outOfRange'],
])('parameter %s: %s', (text, wrong) =>
  expect(badParam(text, { name: 'length', default: 9, min: 1, max: 5000, integer: true })).toBe(wrong),
);

describe('layouts', () => {
  it('of earlier versions hold the bare text of a study', () => {
    expect(chartParams({ studies: ['ema( 5 )', { text: 'rsi(14)', color: 'sky', hidden: true }, 7] }).studies).toEqual([
      { text: 'ema(5)' },
      { text: 'rsi(14)', color: 'sky', hidden: true },
    ]);
  });
  it('with nonsense in them become the default', () => {
    const { studies, panes } = chartParams({ studies: 'x', panes: { price: 'high', volume: 3 } });
    expect(studies).toHaveLength(4);
    expect(panes).toEqual({ volume: 3 });
  });
});

describe('plan', () => {
  const names = ['time', 'open', 'high', 'low', 'close', 'volume', 'ema(5)', 'bb(20,2).upper', 'bb(20,2).middle'];
  names.push(
    'bb(20,2).lower',
    'rsi(14)',
    'macd(12,26,9)',
    'macd(12,26,9).signal',
    'macd(12,26,9).histogram',
    'ema(9)-1',
  );
  const plan = (studies: Parameters<typeof planFor>[1], panes = {}) =>
    planFor(names, studies, 2, KNOWN, { compact: false, panes });

  it('draws each study where its indicator says, or where the layout says', () => {
    const studies = ['ema(5)', 'bb(20,2)', 'rsi(14)', 'macd(12,26,9)', 'ema(9)-1'].map((text) => ({ text }));
    const { plots, panes, guides } = plan([...studies.slice(0, 4), { text: 'ema(9)-1', place: 'price' }]);
    expect(plots.map((plot) => [plot.column, plot.pane, plot.kind])).toEqual([
      [6, 0, 'line'],
      [7, 0, 'line'],
      [8, 0, 'line'],
      [9, 0, 'line'],
      [10, 2, 'line'],
      [11, 3, 'line'],
      [12, 3, 'line'],
      [13, 3, 'histogram'],
      [14, 0, 'line'],
    ]);
    expect(panes.map((pane) => pane.key)).toEqual(['price', 'volume', 'rsi(14)', 'macd(12,26,9)']);
    expect(guides).toEqual([
      { pane: 2, values: [30, 70] },
      { pane: 3, values: [0] },
    ]);
    expect(plan(studies).panes.at(-1)?.key).toBe('ema(9)-1');
  });

  it('leaves out what is hidden and what the engine did not compute, with its pane', () => {
    const { plots, panes } = plan([{ text: 'rsi(14)', hidden: true }, { text: 'cci(20)' }, { text: 'macd(12,26,9)' }]);
    expect(new Set(plots.map((plot) => plot.study))).toEqual(new Set([2]));
    expect(panes).toHaveLength(3);
  });

  it('keeps the heights a person gave', () => {
    const { panes } = plan([{ text: 'rsi(14)' }], { 'rsi(14)': 200 });
    expect(panes.map((pane) => pane.weight)).toEqual([400, 70, 200]);
  });
});
