import { type ComponentType, lazy } from 'react';
import { ChartPanel } from '@/features/charts/ChartPanel';
import { Watchlist } from '@/features/watchlist/Watchlist';
import type { Group } from '@/lib/links';

export interface PanelProps {
  panelId: string;
  params: Record<string, unknown>;
}
const groupOf = (params: Record<string, unknown>): Group =>
  typeof params.group === 'string' && /^[A-F]$/.test(params.group) ? (params.group as Group) : 'A';

/** Every kind of panel once. The first screen's are in the first bundle, the rest come when they are opened. */
export const PANELS: Record<string, ComponentType<PanelProps>> = {
  chart: ({ panelId, params }) => <ChartPanel panelId={panelId} params={params} />,
  watchlist: ({ params }) => <Watchlist group={groupOf(params)} />,
};
void lazy;

/** Kinds whose panel follows a link group. */
export const LINKED = new Set(['chart', 'watchlist', 'ticket', 'depth', 'tape', 'backtest', 'strategies']);
