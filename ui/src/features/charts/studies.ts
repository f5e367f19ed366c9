import { token } from '@/lib/prefs';
import type { IndicatorInfo } from '@/transport/types';
import { PLOTS } from './candleStore';
import type { Plan, Plot } from './port';

/** Splits `ema(21),bb(20,2)` at the commas that are not inside brackets. */
export function splitSet(set: string): string[] {
  return (set.match(/[^,(]+(\([^)]*\))?/g) ?? []).map((part) => part.trim()).filter(Boolean);
}

/** `bb(20,2).upper` → study `bb(20,2)`, output `upper`. */
export function parseColumn(name: string): { study: string; output: string } {
  const close = name.lastIndexOf(')');
  const dot = name.indexOf('.', Math.max(0, close));
  return dot < 0 ? { study: name, output: '' } : { study: name.slice(0, dot), output: name.slice(dot + 1) };
}

/** `ema(21)` → `EMA 21`. */
export function studyTitle(study: string): string {
  const match = /^(\w+)(?:\(([^)]*)\))?$/.exec(study);
  if (!match) return study;
  const args = (match[2] ?? '').replace(/,\s*/g, ', ');
  return `${(match[1] ?? '').toUpperCase()}${args ? ` ${args}` : ''}`;
}

const OVERLAYS = new Set(['ema', 'sma', 'wma', 'bb', 'bollinger', 'vwap']);
const GUIDES: Record<string, number[]> = { rsi: [30, 70] };
const PALETTE = ['group-a', 'violet', 'group-e', 'group-d', 'group-f'];

function isOverlay(study: string, known: readonly IndicatorInfo[]): boolean {
  const name = /^\w+/.exec(study)?.[0] ?? study;
  return known.find((each) => each.name === name)?.overlay ?? OVERLAYS.has(name);
}

/** Which line goes where: overlays on the price, every other study in a pane of its own below the volume. */
export function planFor(
  names: readonly string[],
  decimals: number,
  known: readonly IndicatorInfo[],
  compact: boolean,
): Plan {
  const volume = compact ? 'overlay' : 'pane';
  let pane = volume === 'pane' ? 1 : 0;
  let tone = 0;
  const panes = new Map<string, number>();
  const tones = new Map<string, string>();
  const guides: Plan['guides'] = [];
  const plots: Plot[] = [];
  names.slice(PLOTS).forEach((name, i) => {
    const { study, output } = parseColumn(name);
    const overlay = isOverlay(study, known);
    const kind = /^\w+/.exec(study)?.[0] ?? study;
    if (!panes.has(study)) {
      panes.set(study, overlay ? 0 : ++pane);
      const named = kind === 'rsi' ? 'sky' : kind === 'bb' ? 'ctl' : PALETTE[tone++ % PALETTE.length];
      tones.set(study, token(named ?? 'accent'));
      const values = GUIDES[kind];
      if (!overlay && values) guides.push({ pane, values });
    }
    if (kind === 'bb' && output === 'middle') return;
    const band = output !== '' && overlay;
    const secondary = !overlay && output !== '' && i > 0 && parseColumn(names[PLOTS + i - 1] ?? '').study === study;
    plots.push({
      column: PLOTS + i,
      study,
      title: output ? `${studyTitle(study)} ${output}` : studyTitle(study),
      color: secondary ? token('group-a') : (tones.get(study) ?? token('accent')),
      pane: panes.get(study) ?? 0,
      width: band ? 1 : compact ? 1 : 2,
      faint: band,
    });
  });
  return { plots, volume, priceDecimals: decimals, guides };
}
