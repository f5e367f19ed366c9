/**
 * Exact decimals for what a person types: sizes, levels, distances. Money on screen comes from the engine as text and
 * is only formatted; nothing here replaces the engine's own arithmetic.
 */
export interface Decimal {
  readonly units: bigint;
  /** Digits after the point: value = units / 10^scale. */
  readonly scale: number;
}

const SHAPE = /^([+-]?)(\d*)(?:\.(\d*))?$/;

/** Reads plain decimal text; `null` when it is not a number. Accepts U+2212 as minus and ignores spaces and commas. */
export function parseDecimal(text: string): Decimal | null {
  const clean = text.replace(/[\s,_]/g, '').replace('\u2212', '-');
  const match = SHAPE.exec(clean);
  if (!match) return null;
  const whole = match[2] ?? '';
  const fraction = match[3] ?? '';
  if (whole === '' && fraction === '') return null;
  const units = BigInt(whole + fraction || '0');
  return { units: match[1] === '-' ? -units : units, scale: fraction.length };
}

export function decimal(text: string): Decimal {
  const parsed = parseDecimal(text);
  if (!parsed) throw new Error(`not a decimal: ${text}`);
  return parsed;
}

const ten = (power: number) => 10n ** BigInt(power);

function align(a: Decimal, b: Decimal): [bigint, bigint, number] {
  const scale = Math.max(a.scale, b.scale);
  return [a.units * ten(scale - a.scale), b.units * ten(scale - b.scale), scale];
}

export function add(a: Decimal, b: Decimal): Decimal {
  const [x, y, scale] = align(a, b);
  return { units: x + y, scale };
}
export function sub(a: Decimal, b: Decimal): Decimal {
  const [x, y, scale] = align(a, b);
  return { units: x - y, scale };
}
export function mul(a: Decimal, b: Decimal): Decimal {
  return { units: a.units * b.units, scale: a.scale + b.scale };
}
export function compare(a: Decimal, b: Decimal): -1 | 0 | 1 {
  const [x, y] = align(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
}
export const abs = (a: Decimal): Decimal => (a.units < 0n ? { ...a, units: -a.units } : a);
export const sign = (a: Decimal): -1 | 0 | 1 => (a.units > 0n ? 1 : a.units < 0n ? -1 : 0);

/** a / b cut towards zero at `scale` digits. */
export function div(a: Decimal, b: Decimal, scale: number): Decimal {
  if (b.units === 0n) throw new Error('division by zero');
  return { units: (a.units * ten(scale + b.scale)) / (b.units * ten(a.scale)), scale };
}

/** The nearest multiple of `step` not further from zero than `a`. */
export function floorTo(a: Decimal, step: Decimal): Decimal {
  if (step.units === 0n) return a;
  const [x, s, scale] = align(a, step);
  return trim({ units: (x / s) * s, scale }, step.scale);
}

/** The nearest multiple of `step`, halves away from zero. */
export function roundTo(a: Decimal, step: Decimal): Decimal {
  if (step.units === 0n) return a;
  const [x, s, scale] = align(a, step);
  const half = x < 0n ? -s : s;
  return trim({ units: ((x * 2n + half) / (s * 2n)) * s, scale }, step.scale);
}

function trim(a: Decimal, scale: number): Decimal {
  return scale >= a.scale
    ? { units: a.units * ten(scale - a.scale), scale }
    : { units: a.units / ten(a.scale - scale), scale };
}

export function toText(a: Decimal): string {
  const negative = a.units < 0n;
  const digits = (negative ? -a.units : a.units).toString().padStart(a.scale + 1, '0');
  const whole = digits.slice(0, digits.length - a.scale);
  const fraction = a.scale > 0 ? `.${digits.slice(digits.length - a.scale)}` : '';
  return `${negative ? '-' : ''}${whole}${fraction}`;
}

/** Moves the point of decimal text: `shiftPoint("0.0189", 2)` is `"1.89"`. */
export function shiftPoint(text: string, digits: number): string {
  const value = parseDecimal(text);
  if (!value) return text;
  const scale = value.scale - digits;
  return toText(scale >= 0 ? { units: value.units, scale } : { units: value.units * ten(-scale), scale: 0 });
}

/** Sign of decimal text without losing small values to a float. */
export function signOf(text: string | null | undefined): -1 | 0 | 1 {
  if (!text) return 0;
  const value = parseDecimal(text);
  return value ? sign(value) : 0;
}
