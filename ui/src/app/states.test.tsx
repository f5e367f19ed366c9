import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, render, screen, waitFor } from '@testing-library/react';
import type { IDockviewPanelProps } from 'dockview-react';
import { describe, expect, it, vi } from 'vitest';
import { TipProvider } from '@/kit/Tip';
import { TransportProvider } from '@/transport/hooks';
import { quoteBook } from '@/transport/live';
import { type Answers, MockTransport } from '@/transport/MockTransport';
import { TransportError } from '@/transport/Transport';
import type { Topic } from '@/transport/types';
import { PanelFrame } from './PanelFrame';
import { MARKET, PANELS } from './panels';

/**
 * Every panel in every state it can be in, so that none is forgotten when a panel is added. The chart draws on a canvas,
 * which is not here: its states are looked at in the browser tests.
 */
const KINDS = Object.keys(PANELS).filter((kind) => kind !== 'chart');

/** The engine's answers when there is nothing yet. */
const NOTHING: Answers = {
  'symbols.list': () => ({ instruments: [] }),
  'strategies.list': () => ({ strategies: [] }),
  'strategies.running': () => ({ strategies: [] }),
  'connections.list': () => ({ connections: [] }),
  'data.coverage': () => ({ coverage: [] }),
  'news.list': () => ({ items: [], providers: [] }),
  'metrics.get': () => ({ counters: [], gauges: [], histograms: [] }),
  'audit.list': () => ({ rows: [] }),
  'narrative.get': ({ instrument, timeframe }) => {
    const nothing = { section: 'headline' as const, text: '', fields: [] };
    const at = '2026-01-05T10:00:00Z';
    const told = { sentences: [], technical_summary: nothing, pattern_explanation: nothing, keywords: [], note: '' };
    return { instrument, timeframe, at, text: '', markdown: '', ...told };
  },
  'similar.search': ({ instrument, timeframe }) => ({
    instrument,
    timeframe,
    at: '2026-01-05T10:00:00Z',
    close: '1',
    moments: [],
    outcomes: [],
    fan: [],
    searched: 0,
    searched_from: '2026-01-05T10:00:00Z',
    searched_to: '2026-01-05T10:00:00Z',
    schema_hash: '',
    note: '',
  }),
  'risk.show': () => ({ halted: false, limits: [], recent_denials: [] }),
};
const EMPTY: { [T in Topic]?: unknown } = {
  orders: [],
  fills: [],
  positions: { positions: [], totals: [] },
  decisions: [],
  approvals: [],
  jobs: [],
  logs: [],
  accounts: [],
  trades: [],
  quotes: [],
  depth: { bids: [], asks: [], spread: '0', spread_bp: 0 },
};
/** What these show is never empty or is the way in itself, so nothing stands in for it. */
const ALWAYS_FULL = new Set(['console', 'health', 'editor']);
/** Without an instrument there is nothing these could show; they wait for one. */
const NEEDS_INSTRUMENT = new Set(['ticket', 'depth']);
/** These ask nothing that can fail before the person does something. */
const ASKS_NOTHING = new Set(['console', 'report', 'throughput', 'resources', 'ticket']);

function show(kind: string, transport: MockTransport) {
  const Panel = PANELS[kind];
  if (!Panel) throw new Error(kind);
  const listener = () => ({ dispose() {} });
  const props = {
    api: { id: kind, component: kind, onDidParametersChange: listener },
    params: {},
  } as unknown as IDockviewPanelProps;
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return render(
    <QueryClientProvider client={queries}>
      <TransportProvider transport={transport}>
        <TipProvider>
          <PanelFrame kind={kind} panel={props} Panel={Panel} />
        </TipProvider>
      </TransportProvider>
    </QueryClientProvider>,
  );
}

const stateOf = (container: HTMLElement, state: string) => container.querySelector(`[data-state="${state}"]`);

describe.each(KINDS)('panel %s', (kind) => {
  it('is named', async () => {
    const { container } = show(kind, new MockTransport({ answers: NOTHING }));
    const region = container.querySelector('section[data-kind]');
    expect(region?.getAttribute('aria-label')).toMatch(/^[A-Z]/);
    expect(region?.getAttribute('aria-label')).not.toContain('panel.');
  });

  it.runIf(!ALWAYS_FULL.has(kind))('says what it is for when there is nothing', async () => {
    const transport = new MockTransport({ answers: NOTHING, snapshot: (topic) => EMPTY[topic] as never });
    const { container } = show(kind, transport);
    const state = NEEDS_INSTRUMENT.has(kind) ? 'loading' : 'empty';
    await waitFor(() => expect(stateOf(container, state)).toBeTruthy(), { timeout: 4_000 });
  });

  it.runIf(!ASKS_NOTHING.has(kind))('shows that it is loading, then the error with its code and a way on', async () => {
    const refuse = () => {
      throw new TransportError({ code: 'storage', message: 'The database is locked', retryable: false });
    };
    const answers = Object.fromEntries(Object.keys(NOTHING).map((name) => [name, refuse])) as Answers;
    const transport = new MockTransport({ answers });
    const { container } = show(kind, transport);
    expect(stateOf(container, 'loading') ?? stateOf(container, 'error')).toBeTruthy();
    const refusal = new TransportError({ code: 'storage', message: 'The database is locked', retryable: false });
    // A panel that is its own chunk subscribes only when it has arrived.
    await waitFor(
      async () => {
        await act(async () => transport.fail(refusal));
        expect(stateOf(container, 'error')).toBeTruthy();
      },
      { timeout: 4_000 },
    );
    expect(screen.getByRole('alert').textContent).toContain('The database is locked');
    expect(screen.getByRole('alert').textContent).toContain('storage');
    expect(screen.getByRole('button', { name: 'Copy details' })).toBeTruthy();
  });

  it.runIf(MARKET.has(kind))('says how old its data is when the market falls silent', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true, toFake: ['setInterval', 'clearInterval', 'performance', 'Date'] });
    try {
      const transport = new MockTransport({ answers: NOTHING, snapshot: (topic) => EMPTY[topic] as never });
      quoteBook(transport).watch('BTC-PERP.SIM', () => {});
      const { container } = show(kind, transport);
      await act(async () => transport.send('quotes', 'snapshot', []));
      expect(stateOf(container, 'stale')).toBeNull();
      await act(async () => vi.advanceTimersByTime(14_500));
      expect(stateOf(container, 'stale')?.textContent).toMatch(/^1[45] s old$/);
      await act(async () => transport.send('quotes', 'delta', []));
      await act(async () => vi.advanceTimersByTime(1_000));
      expect(stateOf(container, 'stale')).toBeNull();
    } finally {
      vi.useRealTimers();
    }
  });

  it('keeps its place and says so when the connection is lost', async () => {
    const transport = new MockTransport({ answers: NOTHING, snapshot: (topic) => EMPTY[topic] as never });
    const { container } = show(kind, transport);
    await act(async () => transport.status.set('retrying'));
    expect(stateOf(container, 'disconnected')?.textContent).toContain('Connection lost');
    await act(async () => transport.status.set('open'));
    expect(stateOf(container, 'disconnected')).toBeNull();
  });
});
