import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fromBytes, toBytes } from './bytes';

it('an index survives the way to bytes and back, whatever the characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(), (text, at) => {
      const starts = [0];
      for (const character of text) starts.push((starts.at(-1) ?? 0) + character.length);
      const index = starts[at % starts.length] ?? 0;
      expect(fromBytes(text, toBytes(text, index))).toBe(index);
    }),
  );
  expect(fromBytes('ema("µ")', 7)).toBe(6);
});
