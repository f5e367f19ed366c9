import { locale } from '@/boot/locale';
import { shiftPoint, signOf } from './decimal';

/** The one way a number reaches the screen. Values arrive as decimal text and go to `Intl` as text, digit for digit. */

const NOTHING = '–';
const formatters = new Map<string, Intl.NumberFormat>();

function numberFormat(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = JSON.stringify(options);
  let found = formatters.get(key);
  if (!found) {
    found = new Intl.NumberFormat(locale, options);
    formatters.set(key, found);
  }
  return found;
}

/** A true minus sign is as wide as the plus. */
const minus = (text: string) => text.replace(/^-/, '\u2212');

function decimalText(value: string | number | null | undefined): Intl.StringNumericLiteral | null {
  if (value === null || value === undefined || value === '') return null;
  const text = String(value);
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? (text as Intl.StringNumericLiteral) : null;
}

function fixed(value: string | number | null | undefined, low: number, high: number, signed: boolean): string {
  const text = decimalText(value);
  if (text === null) return NOTHING;
  return minus(
    numberFormat({
      minimumFractionDigits: low,
      maximumFractionDigits: high,
      signDisplay: signed ? 'exceptZero' : 'negative',
      roundingMode: 'halfExpand',
    }).format(text),
  );
}

/** A price with the instrument's number of digits. */
export const price = (value: string | number | null | undefined, decimals: number) =>
  fixed(value, decimals, decimals, false);

/** A quantity: at least `decimals` digits so that columns line up, more when the engine sent more. */
export const quantity = (value: string | number | null | undefined, decimals = 0) =>
  fixed(value, decimals, Math.max(decimals, 9), false);

/** Money with two digits; the currency stands in the column head or after it. */
export const money = (value: string | null | undefined, currency?: string) => {
  const text = fixed(value, 2, 2, false);
  return currency && text !== NOTHING ? `${text} ${currency}` : text;
};

/** A change of money: always with its sign. */
export const change = (value: string | null | undefined, decimals = 2) => fixed(value, decimals, decimals, true);

/** A ratio (`"0.0189"`) as signed percent digits without the sign of percent: `+1.89`. */
export const percentChange = (ratio: string | null | undefined, decimals = 2) =>
  ratio === null || ratio === undefined || ratio === ''
    ? NOTHING
    : fixed(shiftPoint(ratio, 2), decimals, decimals, true);

/** A ratio as percent: `31%`. */
export const percent = (ratio: string | number | null | undefined, decimals = 0) => {
  const text = decimalText(ratio);
  if (text === null) return NOTHING;
  return minus(
    numberFormat({ style: 'percent', minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(text),
  );
};

export const basisPoints = (value: string | number | null | undefined) => fixed(value, 2, 2, false);
export const integer = (value: number | null | undefined) => fixed(value, 0, 0, false);

/** 1.92 B, 14.3 M: for volumes, never for money one trades on. */
export const compact = (value: string | number | null | undefined) => {
  const text = decimalText(value);
  return text === null
    ? NOTHING
    : minus(numberFormat({ notation: 'compact', maximumFractionDigits: 2, minimumFractionDigits: 0 }).format(text));
};

/** What an indicator reads: three to five digits that say something, whatever its scale. */
export const reading = (value: number): string => {
  const size = Math.abs(value);
  if (size >= 1e6) return compact(value);
  if (size >= 10 || value === 0) return fixed(value, 1, 1, false);
  if (size >= 1) return fixed(value, 2, 2, false);
  const text = decimalText(value.toPrecision(3));
  return text === null ? NOTHING : minus(numberFormat({ maximumSignificantDigits: 3 }).format(text));
};

export type Direction = 'up' | 'down' | 'flat';
export function direction(value: string | null | undefined): Direction {
  const sign = signOf(value);
  return sign > 0 ? 'up' : sign < 0 ? 'down' : 'flat';
}
export const arrow = (d: Direction) => (d === 'up' ? '▲' : d === 'down' ? '▼' : '■');
export const toneClass = (d: Direction) => (d === 'up' ? 'text-up' : d === 'down' ? 'text-down' : 'text-t2');

const times = new Map<string, Intl.DateTimeFormat>();
function dateFormat(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  let found = times.get(name);
  if (!found) {
    found = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', hourCycle: 'h23', ...options });
    times.set(name, found);
  }
  return found;
}
const asDate = (value: string | number | Date) => (value instanceof Date ? value : new Date(value));
const valid = (value: string | number | Date | null | undefined): Date | null => {
  if (value === null || value === undefined) return null;
  const date = asDate(value);
  return Number.isNaN(date.getTime()) ? null : date;
};

export const clock = (value: string | number | Date | null | undefined) => {
  const date = valid(value);
  return date ? dateFormat('hms', { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(date) : NOTHING;
};
export const clockMinutes = (value: string | number | Date | null | undefined) => {
  const date = valid(value);
  return date ? dateFormat('hm', { hour: '2-digit', minute: '2-digit' }).format(date) : NOTHING;
};
export const clockMillis = (value: string | number | Date | null | undefined) => {
  const date = valid(value);
  return date
    ? dateFormat('hmsS', {
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
        fractionalSecondDigits: 3,
      }).format(date)
    : NOTHING;
};
export const dateTime = (value: string | number | Date | null | undefined) => {
  const date = valid(value);
  return date
    ? dateFormat('dt', { month: 'short', day: '2-digit', hour: '2-digit', minute: '2-digit' }).format(date)
    : NOTHING;
};
/** Day and minute, with the year: for moments that may be long ago. */
export const dateMinutes = (value: string | number | Date | null | undefined) => {
  const date = valid(value);
  return date
    ? dateFormat('dym', {
        year: 'numeric',
        month: 'short',
        day: '2-digit',
        hour: '2-digit',
        minute: '2-digit',
      }).format(date)
    : NOTHING;
};
export const dateOnly = (value: string | number | Date | null | undefined) => {
  const date = valid(value);
  return date ? dateFormat('dy', { year: 'numeric', month: 'short', day: '2-digit' }).format(date) : NOTHING;
};
export const dateFull = (value: string | number | Date | null | undefined) => {
  const date = valid(value);
  return date
    ? `${dateFormat('full', {
        year: 'numeric',
        month: 'short',
        day: '2-digit',
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
      }).format(date)} UTC`
    : NOTHING;
};

/** How old something is: `0.1 s`, `14 s`, `3 m`, `6 h 02 m`, `2 d 11 h`. */
export function age(milliseconds: number): string {
  if (!Number.isFinite(milliseconds) || milliseconds < 0) return NOTHING;
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, '0')} m`;
  return `${Math.floor(hours / 24)} d ${String(hours % 24).padStart(2, '0')} h`;
}

export const uptime = (seconds: number) => age(seconds * 1000);
