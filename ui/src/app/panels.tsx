import { type ComponentType, lazy } from 'react';
import { Fills } from '@/features/blotter/Fills';
import { Orders } from '@/features/blotter/Orders';
import { Positions } from '@/features/blotter/Positions';
import { ChartPanel } from '@/features/charts/ChartPanel';
import { Decisions } from '@/features/decisions/Decisions';
import { DepthPanel } from '@/features/depth/DepthPanel';
import { TapePanel } from '@/features/depth/TapePanel';
import { OrderTicket } from '@/features/orders/OrderTicket';
import { Watchlist } from '@/features/watchlist/Watchlist';
import type { Group } from '@/lib/links';

export interface PanelProps {
  panelId: string;
  params: Record<string, unknown>;
}
const groupOf = (params: Record<string, unknown>): Group =>
  typeof params.group === 'string' && /^[A-F]$/.test(params.group) ? (params.group as Group) : 'A';

/** A panel that arrives when it is first opened. */
function later<K extends string>(load: () => Promise<Record<K, ComponentType>>, name: K): ComponentType {
  return lazy(() => load().then((module): { default: ComponentType } => ({ default: module[name] }))) as ComponentType;
}
const Console = later(() => import('@/features/console/Console'), 'Console');
const Logs = later(() => import('@/features/monitoring/Logs'), 'Logs');

/** Every kind of panel once. The first screen's are in the first bundle, the rest come when they are opened. */
export const PANELS: Record<string, ComponentType<PanelProps>> = {
  chart: ({ panelId, params }) => <ChartPanel panelId={panelId} params={params} />,
  watchlist: ({ params }) => <Watchlist group={groupOf(params)} />,
  ticket: ({ params }) => <OrderTicket group={groupOf(params)} />,
  depth: ({ params }) => <DepthPanel group={groupOf(params)} />,
  tape: ({ params }) => <TapePanel group={groupOf(params)} />,
  positions: () => <Positions />,
  orders: () => <Orders />,
  fills: () => <Fills />,
  decisions: () => <Decisions />,
  console: () => <Console />,
  logs: () => <Logs />,
};

/** Kinds whose panel follows a link group. */
export const LINKED = new Set(['chart', 'watchlist', 'ticket', 'depth', 'tape', 'backtest', 'strategies']);
