import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLines, tabulate } from '../../scripts/lib/bench-table.mjs';

test('every yardstick of a row gets a ratio; a row without one says so', () => {
  const entries = parseLines(
    [
      'building the data took 3 s',
      '{"peer":"candlewick","row":"B-batch","value":25,"unit":"ns/candle","check":1}',
      '{"peer":"ta-lib","row":"B-batch","value":100,"unit":"ns/candle","check":1}',
      '{"peer":"ta-lib","row":"C-batch","value":9,"unit":"ns/candle","check":1}',
      '{"peer":"candlewick","row":"D-bar","value":16.84,"unit":"ns/bar","check":1}',
    ].join('\n'),
  );
  assert.deepEqual(tabulate(entries), [
    'name    | ours           | yardstick              | ratio',
    'B-batch | 25.0 ns/candle | 100 ns/candle (ta-lib) | 4.00×',
    'D-bar   | 16.8 ns/bar    | —                      | —',
  ]);
});

test('a figure without an answer does not count', () => {
  assert.throws(() => parseLines('{"peer":"candlewick","row":"A","value":1,"unit":"ns"}'), /no check/);
  assert.throws(() => parseLines('{"peer":"candlewick","row":"A","value":0,"unit":"ns","check":1}'), /no value/);
});
