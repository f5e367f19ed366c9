import { expect, it } from 'vitest';
import { pseudoText } from '@/i18n/pseudo';
import { usableLocale } from './locale';

it.each([
  [['C'], 'en-US'],
  [['C.UTF-8', 'POSIX'], 'en-US'],
  [['c', 'de-CH'], 'de-CH'],
  [[undefined, '', 'en-gb'], 'en-GB'],
  [[], 'en-US'],
])('%j gives %s, and Intl takes it', (candidates, expected) => {
  const locale = usableLocale(candidates);
  expect(locale).toBe(expected);
  expect(() => new Intl.NumberFormat(locale)).not.toThrow();
});

it('the pseudo-locale lengthens a text and leaves its variables alone', () => {
  const text = pseudoText('Review buy {{qty}} {{base}}');
  expect(text).toContain('{{qty}} {{base}}');
  expect(text).not.toContain('Review');
  expect(text.length).toBeGreaterThan('Review buy {{qty}} {{base}}'.length * 1.3);
});
