import '@/boot/locale';
import '@/styles/index.css';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from '@/app/App';
import { ConnectFailed } from '@/app/ConnectFailed';
import { prefetchLayout } from '@/app/Dock';
import { startI18n } from '@/i18n';
import { applyPrefs, usePrefs } from '@/lib/prefs';
import { useUi } from '@/lib/ui';
import { connect } from '@/transport/connect';
import { TransportProvider } from '@/transport/hooks';
import { TransportError } from '@/transport/Transport';

async function start(): Promise<void> {
  applyPrefs();
  matchMedia('(prefers-contrast: more)').addEventListener('change', applyPrefs);
  await startI18n(usePrefs.getState().language);
  const element = document.getElementById('root');
  if (!element) throw new Error('the page has no #root');
  const root = createRoot(element);
  try {
    const transport = await connect();
    prefetchLayout(transport, useUi.getState().workspace);
    const queries = new QueryClient({
      defaultOptions: {
        queries: {
          refetchOnWindowFocus: false,
          retry: (failures, error) => error instanceof TransportError && error.retryable && failures < 3,
        },
      },
    });
    // What the first chart needs to know its lines; without it, it would be drawn twice.
    void queries.prefetchQuery({
      queryKey: ['indicators.list', {}],
      queryFn: ({ signal }) => transport.call('indicators.list', {}, { signal }),
    });
    root.render(
      <StrictMode>
        <QueryClientProvider client={queries}>
          <TransportProvider transport={transport}>
            <App />
          </TransportProvider>
        </QueryClientProvider>
      </StrictMode>,
    );
  } catch (cause) {
    root.render(<ConnectFailed error={TransportError.from(cause)} />);
  }
}

void start();
