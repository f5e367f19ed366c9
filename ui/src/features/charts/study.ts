import type { IndicatorInfo } from '@/transport/types';

/** Colours a line may have: names of tokens, so that they follow the theme. */
export const COLORS = [
  'group-a',
  'violet',
  'sky',
  'group-e',
  'group-d',
  'group-f',
  'accent',
  'up',
  'down',
  'ctl',
] as const;
export type StudyColor = (typeof COLORS)[number];
export type StudyPlace = 'price' | 'own';

/** One study of a chart as its layout remembers it. */
export interface Study {
  /** What the engine computes, written as it names its columns: `ema(21)`, `close-ema(50)`. */
  text: string;
  /** By its turn in the list without it. */
  color?: StudyColor;
  /** Computed, named in the legend and not drawn. */
  hidden?: boolean;
  /** With the price or below it, where it should not be where the indicator says. */
  place?: StudyPlace;
}

/** Layouts are stored text, and older ones hold the bare text of a study. */
export function readStudy(raw: unknown): Study | null {
  if (typeof raw === 'string') return raw.trim() ? { text: canonical(raw) } : null;
  if (typeof raw !== 'object' || raw === null) return null;
  const { text, color, hidden, place } = raw as Record<string, unknown>;
  if (typeof text !== 'string' || text.trim() === '') return null;
  const study: Study = { text: canonical(text) };
  if (COLORS.includes(color as StudyColor)) study.color = color as StudyColor;
  if (hidden === true) study.hidden = true;
  if (place === 'price' || place === 'own') study.place = place;
  return study;
}

/** Without spaces, except between words: as the engine names the column of an expression. */
export const canonical = (text: string): string =>
  text.trim().replace(/(\w)?\s+(?=(\w)?)/g, (_, before, after) => `${before ?? ''}${before && after ? ' ' : ''}`);

/** Cuts at the commas that are in no brackets and no quotes. */
export function splitTop(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quote = '';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if (quote) quote = c === quote ? '' : quote;
    else if (c === '"' || c === "'") quote = c;
    else if (c === '(' || c === '[') depth += 1;
    else if (c === ')' || c === ']') depth -= 1;
    else if (c === ',' && depth === 0) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  parts.push(text.slice(from));
  return parts.map((part) => part.trim()).filter(Boolean);
}

const NUMBER = /^-?(\d+\.?\d*|\.\d+)$/;

/** `ema(close,21)` → `ema` and its arguments; `null` for everything that is not one call or one name. */
export function readCall(text: string): { name: string; args: string[] } | null {
  const match = /^([a-z_]\w*)(?:\((.*)\))?$/s.exec(text.trim());
  if (!match) return null;
  const inside = match[2] ?? '';
  let depth = 0;
  for (const c of inside) {
    depth += c === '(' ? 1 : c === ')' ? -1 : 0;
    if (depth < 0) return null;
  }
  return { name: match[1] as string, args: splitTop(inside) };
}

/** A registered indicator with the arguments it is drawn with. */
export interface IndicatorStudy {
  info: IndicatorInfo;
  /** What it is computed of, where that is not what it takes by itself. */
  series: string | null;
  /** One per parameter. */
  values: string[];
}

/** `null` when it is an expression, which has no parameters to edit. */
export function indicatorStudy(text: string, known: readonly IndicatorInfo[]): IndicatorStudy | null {
  const call = readCall(text);
  const info = call && known.find((each) => each.name === call.name);
  if (!info) return null;
  const first = call.args.findIndex((arg) => NUMBER.test(arg));
  const leading = first < 0 ? call.args : call.args.slice(0, first);
  const numbers = first < 0 ? [] : call.args.slice(first);
  if (leading.length > (info.takes_series ? 1 : 0) || numbers.length > info.params.length) return null;
  // `4*5` is a length that was reckoned, not a series.
  if (leading.some((arg) => !/[a-z]/i.test(arg))) return null;
  if (!numbers.every((arg) => NUMBER.test(arg))) return null;
  return {
    info,
    series: leading[0] ?? null,
    values: info.params.map((param, i) => numbers[i] ?? String(param.default)),
  };
}

export function writeStudy({ info, series, values }: IndicatorStudy): string {
  const args = [...(series ? [series] : []), ...values];
  return canonical(args.length ? `${info.name}(${args.join(',')})` : info.name);
}

export const defaultStudy = (info: IndicatorInfo): string =>
  writeStudy({ info, series: null, values: info.params.map((param) => String(param.default)) });

/** What is wrong with a parameter's text, as a key of the texts; `null` when it may be sent. */
export function badParam(
  text: string,
  param: IndicatorInfo['params'][number],
): 'notNumber' | 'notWhole' | 'outOfRange' | null {
  if (!NUMBER.test(text.trim())) return 'notNumber';
  const value = Number(text);
  if (param.integer && !Number.isInteger(value)) return 'notWhole';
  if (value < (param.min ?? Number.NEGATIVE_INFINITY) || value > (param.max ?? Number.POSITIVE_INFINITY))
    return 'outOfRange';
  return null;
}

/** `ema(21)` → `EMA 21`, `ema(rsi(14),9)` → `EMA rsi(14), 9`; an expression is its own title. */
export function studyTitle(text: string): string {
  const call = readCall(text);
  if (!call) return text.replace(/([+\-*/<>=!]+)/g, ' $1 ').replaceAll(',', ', ');
  const args = call.args.join(', ');
  return `${call.name.toUpperCase()}${args ? ` ${args}` : ''}`;
}

/** The columns of a study among the engine's, with the name of each output. */
export function columnsOf(text: string, names: readonly string[]): { column: number; output: string }[] {
  return names.flatMap((name, column) => {
    if (name === text) return [{ column, output: '' }];
    const output = name.startsWith(`${text}.`) ? name.slice(text.length + 1) : '';
    return /^\w+$/.test(output) ? [{ column, output }] : [];
  });
}
