import type { ComponentType } from 'react';
import { Fills } from '@/features/blotter/Fills';
import { Orders } from '@/features/blotter/Orders';
import { Positions } from '@/features/blotter/Positions';
import { ChartPanel } from '@/features/charts/ChartPanel';
import { Decisions } from '@/features/decisions/Decisions';
import { DepthPanel } from '@/features/depth/DepthPanel';
import { TapePanel } from '@/features/depth/TapePanel';
import { OrderTicket } from '@/features/orders/OrderTicket';
import { Watchlist } from '@/features/watchlist/Watchlist';
import { lazily } from '@/lib/lazily';
import type { Group } from '@/lib/links';

export interface PanelProps {
  panelId: string;
  params: Record<string, unknown>;
  setParams: (change: Record<string, unknown>) => void;
}
const groupOf = (params: Record<string, unknown>): Group =>
  typeof params.group === 'string' && /^[A-F]$/.test(params.group) ? (params.group as Group) : 'A';

/** A panel that arrives when it is first opened. */
function later<K extends string>(load: () => Promise<Record<K, ComponentType>>, name: K): ComponentType {
  return lazily(() =>
    load().then((module): { default: ComponentType } => ({ default: module[name] })),
  ) as ComponentType;
}
const Console = later(() => import('@/features/console/Console'), 'Console');
const monitoring = () => import('@/features/monitoring/lazy');
const HealthPanel = later(monitoring, 'HealthPanel');
const Throughput = later(monitoring, 'Throughput');
const Resources = later(monitoring, 'Resources');
const Latency = later(monitoring, 'Latency');
const sources = () => import('@/features/data/lazy');
const Connections = later(sources, 'Connections');
const CoveragePanel = lazily(() => sources().then((m) => ({ default: m.CoveragePanel })));
const Jobs = later(monitoring, 'Jobs');
const Audit = later(monitoring, 'Audit');
const Report = later(() => import('@/features/backtests/Report'), 'Report');
const Editor = later(() => import('@/features/strategies/Editor'), 'Editor');
const Approvals = later(() => import('@/features/automation/Approvals'), 'Approvals');
const Limits = later(() => import('@/features/risk/Limits'), 'Limits');
const BacktestForm = lazily(() =>
  import('@/features/backtests/BacktestForm').then((m) => ({ default: m.BacktestForm })),
);
const Strategies = lazily(() => import('@/features/automation/Strategies').then((m) => ({ default: m.Strategies })));
const analysis = () => import('@/features/analysis/lazy');
const SimilarPanel = lazily(() => analysis().then((m) => ({ default: m.SimilarPanel })));
const NarrativePanel = lazily(() => analysis().then((m) => ({ default: m.NarrativePanel })));
const NewsPanel = lazily(() => import('@/features/news/NewsPanel').then((m) => ({ default: m.NewsPanel })));
const Logs = later(() => import('@/features/monitoring/Logs'), 'Logs');

/** Every kind of panel once. The first screen's are in the first bundle, the rest come when they are opened. */
export const PANELS: Record<string, ComponentType<PanelProps>> = {
  chart: (props) => <ChartPanel {...props} />,
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
  backtest: ({ params }) => <BacktestForm group={groupOf(params)} />,
  report: () => <Report />,
  editor: () => <Editor />,
  strategies: ({ params }) => <Strategies group={groupOf(params)} />,
  approvals: () => <Approvals />,
  limits: () => <Limits />,
  narrative: ({ params }) => <NarrativePanel group={groupOf(params)} />,
  similar: ({ params }) => <SimilarPanel group={groupOf(params)} />,
  health: () => <HealthPanel />,
  throughput: () => <Throughput />,
  resources: () => <Resources />,
  latency: () => <Latency />,
  connections: () => <Connections />,
  news: ({ params }) => <NewsPanel group={groupOf(params)} />,
  coverage: ({ params }) => <CoveragePanel group={groupOf(params)} />,
  errorlog: () => <Logs />,
  audit: () => <Audit />,
  jobs: () => <Jobs />,
};

/** Kinds that show the market: they say so when its data is old. */
export const MARKET = new Set(['chart', 'watchlist', 'ticket', 'depth', 'tape', 'positions', 'narrative', 'similar']);

/** Kinds whose panel follows a link group. */
export const LINKED = new Set([
  'chart',
  'watchlist',
  'ticket',
  'depth',
  'tape',
  'backtest',
  'strategies',
  'narrative',
  'similar',
  'coverage',
  'news',
]);
