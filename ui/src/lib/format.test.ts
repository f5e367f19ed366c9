import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as decimal from './decimal';
import * as fmt from './format';

/** Decimal text with up to 18 digits before and after the point. */
const decimalText = fc
  .tuple(fc.constantFrom('', '-'), fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.stringMatching(/^\d{0,18}$/))
  .map(([sign, whole, fraction]) => `${sign}${whole}${fraction ? `.${fraction}` : ''}`);
const digitsOf = (text: string) => text.replace(/[^\d.]/g, '');

describe('numbers on screen', () => {
  it('keeps every digit of a quantity with up to nine', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 27n }), (units) => {
        const text = decimal.toText({ units, scale: 9 });
        expect(decimal.compare(decimal.decimal(digitsOf(fmt.quantity(text))), decimal.decimal(text))).toBe(0);
      }),
    );
  });

  it('rounds a price to the instrument’s digits and by no more than half a unit', () => {
    fc.assert(
      fc.property(decimalText, fc.integer({ min: 0, max: 9 }), (text, digits) => {
        const shown = decimal.decimal(fmt.price(text, digits).replace(/,/g, ''));
        const error = decimal.abs(decimal.sub(shown, decimal.decimal(text)));
        expect(
          decimal.compare(decimal.mul(error, decimal.decimal('2')), { units: 1n, scale: digits }),
        ).toBeLessThanOrEqual(0);
      }),
    );
  });

  it('has a sign on every change but zero, and no minus zero', () => {
    fc.assert(
      fc.property(decimalText, (text) => {
        const shown = fmt.change(text);
        const rounded = decimal.sign(decimal.roundTo(decimal.decimal(text), decimal.decimal('0.01')));
        expect(shown.startsWith('+')).toBe(rounded > 0);
        expect(shown.startsWith('\u2212')).toBe(rounded < 0);
        expect(shown).not.toContain('-');
      }),
    );
  });

  it.each([
    [fmt.price('68412.5', 1), '68,412.5'],
    [fmt.price('0.000000123456789', 9), '0.000000123'],
    [fmt.price('-0.004', 2), '0.00'],
    [fmt.money('123456789012345678.995', 'USD'), '123,456,789,012,345,679.00 USD'],
    [fmt.percentChange('0.0189'), '+1.89'],
    [fmt.percentChange('-0.00119'), '\u22120.12'],
    [fmt.percentChange('0'), '0.00'],
    [fmt.percent('0.31'), '31%'],
    [fmt.price(null, 2), '–'],
    [fmt.price('NaN', 2), '–'],
    [fmt.price('1,5', 2), '–'],
    [fmt.quantity('0.400', 3), '0.400'],
    [fmt.direction('-0.000000000000000001'), 'down'],
    [fmt.direction('0.00'), 'flat'],
  ])('%s is %s', (shown, expected) => expect(shown).toBe(expected));

  it.each([
    [100, '0.1 s'],
    [14_000, '14 s'],
    [180_000, '3 m'],
    [21_720_000, '6 h 02 m'],
    [212_400_000, '2 d 11 h'],
    [Number.NaN, '–'],
  ])('an age of %d ms is %s', (ms, expected) => expect(fmt.age(ms)).toBe(expected));
});

describe('decimals', () => {
  it('reads back what it writes', () => {
    fc.assert(
      fc.property(decimalText, (text) => {
        const value = decimal.decimal(text);
        expect(decimal.compare(decimal.decimal(decimal.toText(value)), value)).toBe(0);
      }),
    );
  });
  it('adds and takes away to where it was', () => {
    fc.assert(
      fc.property(decimalText, decimalText, (a, b) => {
        const [x, y] = [decimal.decimal(a), decimal.decimal(b)];
        expect(decimal.compare(decimal.sub(decimal.add(x, y), y), x)).toBe(0);
      }),
    );
  });
  it('cuts to a multiple of the step, never away from zero', () => {
    fc.assert(
      fc.property(decimalText, fc.constantFrom('0.001', '0.5', '1', '25'), (a, step) => {
        const value = decimal.decimal(a);
        const cut = decimal.floorTo(value, decimal.decimal(step));
        expect(decimal.compare(decimal.abs(cut), decimal.abs(value))).toBeLessThanOrEqual(0);
        expect(decimal.compare(decimal.sub(decimal.abs(value), decimal.abs(cut)), decimal.decimal(step))).toBe(-1);
      }),
    );
  });
  it.each(['', '.', '-', '1e5', '0x10', '1.2.3', 'Infinity'])('%s is no decimal', (text) => {
    expect(decimal.parseDecimal(text)).toBeNull();
  });
  it('moves the point', () => {
    expect(decimal.shiftPoint('0.0189', 2)).toBe('1.89');
    expect(decimal.shiftPoint('-12', 2)).toBe('-1200');
  });
});
