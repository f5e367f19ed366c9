import type { DockviewApi } from 'dockview-react';
import type { WorkspaceName } from '@/lib/ui';

/** Where a panel starts: beside or inside another one, with its size in pixels of a 1916 × 1016 dock. */
interface Place {
  id: string;
  kind: string;
  params?: Record<string, unknown>;
  beside?: { panel: string; direction: 'left' | 'right' | 'above' | 'below' | 'within' };
  width?: number;
  height?: number;
  inactive?: boolean;
  /** Left out of a default board narrower than this. */
  fromWidth?: number;
}

const LAYOUTS: Record<WorkspaceName, Place[]> = {
  trade: [
    {
      id: 'chart-main',
      kind: 'chart',
      params: { group: 'A', timeframe: '15m', studies: ['ema(21)', 'ema(55)', 'bb(20,2)', 'rsi(14)'] },
    },
    {
      id: 'watchlist',
      kind: 'watchlist',
      params: { group: 'A' },
      beside: { panel: 'chart-main', direction: 'left' },
      width: 272,
    },
    {
      id: 'news',
      kind: 'news',
      params: { group: 'A' },
      beside: { panel: 'watchlist', direction: 'within' },
      inactive: true,
    },
    {
      id: 'ticket',
      kind: 'ticket',
      params: { group: 'A' },
      beside: { panel: 'chart-main', direction: 'right' },
      width: 316,
    },
    {
      id: 'depth',
      kind: 'depth',
      params: { group: 'A' },
      beside: { panel: 'ticket', direction: 'below' },
      height: 424,
    },
    {
      id: 'tape',
      kind: 'tape',
      params: { group: 'A' },
      beside: { panel: 'depth', direction: 'within' },
      inactive: true,
    },
    { id: 'positions', kind: 'positions', beside: { panel: 'chart-main', direction: 'below' }, height: 214 },
    { id: 'orders', kind: 'orders', beside: { panel: 'positions', direction: 'within' }, inactive: true },
    { id: 'fills', kind: 'fills', beside: { panel: 'positions', direction: 'within' }, inactive: true },
    { id: 'console', kind: 'console', beside: { panel: 'positions', direction: 'within' }, inactive: true },
    { id: 'logs', kind: 'logs', beside: { panel: 'positions', direction: 'within' }, inactive: true },
    {
      id: 'chart-day',
      kind: 'chart',
      params: { group: 'A', timeframe: '1d', studies: ['ema(21)'], compact: true },
      beside: { panel: 'chart-main', direction: 'right' },
      width: 330,
      fromWidth: 1_500,
    },
    {
      id: 'chart-hour',
      fromWidth: 1_500,
      kind: 'chart',
      params: { group: 'B', timeframe: '1h', studies: ['ema(21)'], compact: true },
      beside: { panel: 'chart-day', direction: 'below' },
    },
    { id: 'decisions', kind: 'decisions', beside: { panel: 'positions', direction: 'right' }, width: 344 },
  ],
  research: [
    {
      id: 'chart-research',
      kind: 'chart',
      params: {
        group: 'A',
        timeframe: '1h',
        studies: ['ema(10)', 'ema(20)', 'rsi(14)'],
        layers: { patterns: true, levels: true, shapes: true, regime: true, news: true },
      },
    },
    {
      id: 'backtest',
      kind: 'backtest',
      params: { group: 'A' },
      beside: { panel: 'chart-research', direction: 'right' },
      width: 380,
    },
    {
      id: 'similar',
      kind: 'similar',
      params: { group: 'A' },
      beside: { panel: 'chart-research', direction: 'left' },
      width: 430,
      fromWidth: 1_500,
    },
    {
      id: 'narrative',
      kind: 'narrative',
      params: { group: 'A' },
      beside: { panel: 'chart-research', direction: 'below' },
      height: 350,
    },
    { id: 'report', kind: 'report', beside: { panel: 'narrative', direction: 'within' }, inactive: true },
    {
      id: 'news',
      kind: 'news',
      params: { group: 'A' },
      beside: { panel: 'similar', direction: 'below' },
      height: 300,
      fromWidth: 1_500,
    },
    { id: 'editor', kind: 'editor', beside: { panel: 'backtest', direction: 'below' }, height: 420 },
  ],
  automate: [
    { id: 'strategies', kind: 'strategies', params: { group: 'A' } },
    { id: 'decisions', kind: 'decisions', beside: { panel: 'strategies', direction: 'right' }, width: 520 },
    { id: 'approvals', kind: 'approvals', beside: { panel: 'decisions', direction: 'above' }, height: 320 },
    { id: 'limits', kind: 'limits', beside: { panel: 'strategies', direction: 'below' }, height: 360 },
  ],
  monitor: [
    { id: 'throughput', kind: 'throughput', height: 384 },
    { id: 'latency', kind: 'latency', beside: { panel: 'throughput', direction: 'right' }, width: 804, height: 384 },
    { id: 'connections', kind: 'connections', beside: { panel: 'throughput', direction: 'below' }, height: 250 },
    {
      id: 'coverage',
      kind: 'coverage',
      params: { group: 'A' },
      beside: { panel: 'connections', direction: 'within' },
      inactive: true,
    },
    { id: 'errorlog', kind: 'errorlog', beside: { panel: 'connections', direction: 'below' }, height: 366 },
    { id: 'audit', kind: 'audit', beside: { panel: 'errorlog', direction: 'within' }, inactive: true },
    { id: 'jobs', kind: 'jobs', beside: { panel: 'errorlog', direction: 'within' }, inactive: true },
    { id: 'health', kind: 'health', beside: { panel: 'throughput', direction: 'left' }, width: 300 },
    { id: 'resources', kind: 'resources', beside: { panel: 'latency', direction: 'below' }, height: 250 },
    { id: 'console', kind: 'console', beside: { panel: 'resources', direction: 'below' }, height: 366 },
  ],
};

/** The size of the dock the pixels above were measured in. */
const FULL = { width: 1_912, height: 1_012 };
/** On a dock lower than this, depth shares the ticket's group instead of standing below it. */
const LOW = 860;

/** The places of a board that fits into a dock of this size. */
export function placesFor(name: WorkspaceName, dock: { width: number; height: number }): Place[] {
  // Side columns keep most of their width: their content does not shrink with the window. A half of it does.
  const share = dock.width / FULL.width;
  const scaled = (width: number) => Math.round(width * (width > 500 ? share : Math.max(0.92, Math.min(1, share))));
  const high = Math.min(1.4, dock.height / FULL.height);
  return LAYOUTS[name]
    .filter((place) => !place.fromWidth || dock.width >= place.fromWidth)
    .map((place): Place => {
      if (place.id === 'depth' && dock.height < LOW)
        return { ...place, beside: { panel: 'ticket', direction: 'within' }, inactive: true };
      return {
        ...place,
        ...(place.width ? { width: scaled(place.width) } : {}),
        ...(place.height ? { height: Math.round(place.height * high) } : {}),
      };
    });
}

/** Builds the default board of a workspace. */
export function buildDefault(api: DockviewApi, name: WorkspaceName): void {
  const places = placesFor(name, {
    width: api.width || window.innerWidth - 8,
    height: api.height || window.innerHeight - 72,
  });
  for (const place of places) {
    const beside = place.beside && api.getPanel(place.beside.panel) ? place.beside : undefined;
    api.addPanel({
      id: place.id,
      component: place.kind,
      title: place.id,
      params: place.params ?? {},
      inactive: place.inactive ?? false,
      ...(place.width ? { initialWidth: place.width } : {}),
      ...(place.height ? { initialHeight: place.height } : {}),
      ...(beside ? { position: { referencePanel: beside.panel, direction: beside.direction } } : {}),
    });
  }
  // A size given to one panel is taken from its neighbours; after the second round all have theirs.
  for (const place of [...places, ...places]) {
    const panel = api.getPanel(place.id);
    if (!panel || place.inactive || place.beside?.direction === 'within') continue;
    if (place.width) panel.api.setSize({ width: place.width });
    if (place.height) panel.api.setSize({ height: place.height });
  }
  api.getPanel(places[0]?.id ?? '')?.api.setActive();
}
