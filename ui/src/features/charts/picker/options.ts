import type { IndicatorInfo } from '@/transport/types';
import { type Study, studyTitle } from '../study';

export type Option =
  | { kind: 'study'; id: string; index: number; study: Study }
  | { kind: 'indicator'; id: string; info: IndicatorInfo }
  | { kind: 'expression'; id: string; text: string };
export type Row = { kind: 'heading'; id: string; name: string } | { kind: 'option'; id: string; option: Option };

/** How traders usually go through them; what the engine adds later follows. */
const ORDER = ['overlap', 'momentum', 'volatility', 'volume', 'statistics', 'cycle'];

export function groupsOf(known: readonly IndicatorInfo[]): string[] {
  const all = new Set(known.map((each) => each.group));
  return [...ORDER.filter((name) => all.has(name)), ...[...all].filter((name) => !ORDER.includes(name)).sort()];
}

/** How well an indicator answers one word, 0 best; `null` not at all. */
function rank(info: IndicatorInfo, word: string): number | null {
  const name = info.name.toLowerCase();
  const title = info.title.toLowerCase();
  if (name === word) return 0;
  if (name.startsWith(word)) return 1;
  if (title.split(/[^a-z0-9%]+/).some((part) => part.startsWith(word))) return 2;
  if (name.includes(word)) return 3;
  if (title.includes(word)) return 4;
  if (info.group.startsWith(word)) return 5;
  return word.length > 3 && info.doc.toLowerCase().includes(word) ? 6 : null;
}

/** Every word has to be found somewhere. The best first; equally good ones stay in the engine's order. */
export function search(known: readonly IndicatorInfo[], query: string): IndicatorInfo[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return known
    .flatMap((info) => {
      const ranks = words.map((word) => rank(info, word));
      return ranks.includes(null) ? [] : [{ info, score: ranks.reduce<number>((a, b) => a + (b ?? 0), 0) }];
    })
    .sort((a, b) => a.score - b.score)
    .map(({ info }) => info);
}

const isExpression = (query: string) => /[-+*/<>=()[\]]/.test(query);

/** The list as it is shown: what is on the chart, then indicators by group, or what was searched for. */
export function rowsFor(
  query: string,
  group: string | null,
  studies: readonly Study[],
  known: readonly IndicatorInfo[],
): Row[] {
  const words = query.trim();
  const rows: Row[] = [];
  const heading = (name: string) => rows.push({ kind: 'heading', id: `heading:${name}`, name });
  const option = (each: Option) => rows.push({ kind: 'option', id: each.id, option: each });
  const listed = known.filter((info) => group === null || info.group === group);
  const indicator = (info: IndicatorInfo) => option({ kind: 'indicator', id: `indicator:${info.name}`, info });

  if (words) {
    const found = isExpression(words) ? [] : search(listed, words);
    const own = studies.flatMap((study, index) =>
      `${study.text} ${studyTitle(study.text)}`.toLowerCase().includes(words.toLowerCase()) ? [{ study, index }] : [],
    );
    if (found.length) {
      heading('found');
      found.forEach(indicator);
    } else {
      heading('expression');
      option({ kind: 'expression', id: 'expression', text: words });
    }
    if (own.length) heading('studies');
    for (const { study, index } of own) option({ kind: 'study', id: `study:${index}`, index, study });
    return rows;
  }
  if (group === null) {
    if (studies.length) heading('studies');
    for (const [index, study] of studies.entries()) option({ kind: 'study', id: `study:${index}`, index, study });
    heading('expression');
    option({ kind: 'expression', id: 'expression', text: '' });
  }
  for (const name of groupsOf(listed)) {
    heading(name);
    for (const info of listed) if (info.group === name) indicator(info);
  }
  return rows;
}

export const optionsOf = (rows: readonly Row[]): Option[] =>
  rows.flatMap((row) => (row.kind === 'option' ? [row.option] : []));
