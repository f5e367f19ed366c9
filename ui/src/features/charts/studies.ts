import { token } from '@/lib/prefs';
import type { IndicatorInfo } from '@/transport/types';
import type { Pane, Plan, Plot } from './port';
import { COLORS, columnsOf, readCall, type Study, type StudyColor, studyTitle } from './study';

/** What overlays the price as long as the engine has not told. */
const OVERLAYS = new Set(['ema', 'sma', 'wma', 'bb', 'vwap']);
const NATURAL: Record<string, StudyColor> = { rsi: 'sky', bb: 'ctl' };
const TURNS: readonly StudyColor[] = ['group-a', 'violet', 'group-e', 'group-d', 'group-f', 'accent'];
/** Drawn as single dots: their jumps are no line. */
const DOTTED = new Set(['psar', 'sar', 'sarext', 'pivots']);

export function isOverlay(study: Study, known: readonly IndicatorInfo[]): boolean {
  if (study.place) return study.place === 'price';
  const name = readCall(study.text)?.name;
  return name !== undefined && (known.find((each) => each.name === name)?.overlay ?? OVERLAYS.has(name));
}

/** The colour of each study: its own, the one its kind usually has, or the next that is left. */
export function colorsOf(studies: readonly Study[]): StudyColor[] {
  let turn = 0;
  return studies.map((study) => {
    const natural = NATURAL[readCall(study.text)?.name ?? ''];
    if (study.color) return study.color;
    return natural ?? (TURNS[turn++ % TURNS.length] as StudyColor);
  });
}

/** A colour no study has yet, for the next one. */
export function freeColor(studies: readonly Study[]): StudyColor {
  const taken = new Set(colorsOf(studies));
  return COLORS.find((color) => !taken.has(color)) ?? 'accent';
}

const WEIGHTS = { price: 400, volume: 70, study: 84 };

/** Which line goes where: overlays on the price, every other study in a pane of its own below the volume. */
export function planFor(
  names: readonly string[],
  studies: readonly Study[],
  decimals: number,
  known: readonly IndicatorInfo[],
  options: { compact: boolean; panes?: Record<string, number> },
): Plan {
  const { compact, panes: weights = {} } = options;
  const volume = compact ? 'overlay' : 'pane';
  const panes: Pane[] = [];
  const pane = (key: string, usual: number) => panes.push({ key, usual, weight: weights[key] ?? usual }) - 1;
  pane('price', WEIGHTS.price);
  if (volume === 'pane') pane('volume', WEIGHTS.volume);
  const colors = colorsOf(studies);
  const guides: Plan['guides'] = [];
  const plots: Plot[] = [];
  studies.forEach((study, index) => {
    const columns = columnsOf(study.text, names);
    if (study.hidden || columns.length === 0) return;
    const overlay = isOverlay(study, known);
    const name = readCall(study.text)?.name ?? '';
    const outputs = columns.map((each) => each.output);
    const place = overlay ? 0 : pane(study.text, WEIGHTS.study);
    const band = outputs.includes('upper') && outputs.includes('lower');
    const levels = overlay ? [] : (known.find((each) => each.name === name)?.guides ?? []);
    if (levels.length) guides.push({ pane: place, values: [...levels] });
    const others = COLORS.filter((color) => color !== colors[index] && color !== 'ctl');
    columns.forEach(({ column, output }, turn) => {
      const histogram = output === 'histogram';
      const own = band || turn === 0 || histogram;
      plots.push({
        column,
        study: index,
        output,
        title: output ? `${studyTitle(study.text)} ${output}` : studyTitle(study.text),
        color: token(own ? (colors[index] ?? 'accent') : (others[turn - 1] ?? 'accent')),
        pane: place,
        kind: histogram ? 'histogram' : DOTTED.has(name) ? 'dots' : 'line',
        width: compact || band || turn > 0 ? 1 : 2,
        faint: band && output === 'middle',
        band,
      });
    });
  });
  return { plots, volume, priceDecimals: decimals, guides, panes, studies };
}

/** The set as the engine takes it. */
export const setOf = (studies: readonly Study[]): string => [...new Set(studies.map((study) => study.text))].join(',');
