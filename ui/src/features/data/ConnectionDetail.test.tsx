import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it } from 'vitest';
import { useToasts } from '@/kit/toasts';
import { TransportProvider } from '@/transport/hooks';
import { type Answers, MockTransport } from '@/transport/MockTransport';
import { TransportError } from '@/transport/Transport';
import type { Connection } from '@/transport/types';
import { ConnectionDetail } from './ConnectionDetail';

const connection = (change: Partial<Connection> = {}): Connection => ({
  name: 'ALPACA',
  venue: 'ALPACA',
  kind: 'websocket',
  state: 'closed',
  since: '2026-01-05T10:00:00Z',
  reconnects: 0,
  subscriptions: 1,
  ...change,
});

function show(shown: Connection, restart: Answers['connections.restart']) {
  const transport = new MockTransport({
    answers: {
      'connections.restart': restart,
      'data.gaps': () => ({ gaps: [], total: 0 }),
      'data.quarantine': () => ({ rows: [], total: 0 }),
    },
  });
  render(
    <QueryClientProvider client={new QueryClient()}>
      <TransportProvider transport={transport}>
        <ConnectionDetail connection={shown} onClose={() => {}} />
      </TransportProvider>
    </QueryClientProvider>,
  );
  return transport;
}

const press = async () => userEvent.click(await screen.findByRole('button', { name: 'Connect anew' }));
beforeEach(() => useToasts.setState({ entries: [] }));

it('begins a venue anew and says so', async () => {
  const transport = show(connection(), () => connection({ state: 'connecting' }));
  await press();
  await expect.poll(() => useToasts.getState().entries.map(({ tone }) => tone)).toEqual(['info']);
  expect(transport.calls).toContainEqual({ command: 'connections.restart', args: { venue: 'ALPACA' } });
});

it('says why a venue was not begun anew', async () => {
  show(connection(), () => {
    throw new TransportError({ code: 'unavailable', message: 'this program holds no connections', retryable: true });
  });
  await press();
  await expect
    .poll(() => useToasts.getState().entries[0])
    .toMatchObject({
      tone: 'crit',
      detail: 'this program holds no connections',
    });
});

it('offers nothing of the kind where there is no connection', async () => {
  show(connection({ name: 'SIM', venue: 'SIM', kind: 'simulated' }), () => connection());
  await screen.findByText('No outages');
  expect(screen.queryByRole('button', { name: 'Connect anew' })).toBeNull();
});
