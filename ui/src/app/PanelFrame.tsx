import type { IDockviewPanelProps } from 'dockview-react';
import { Component, type ComponentType, type ReactNode, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { AgeChip, Disconnected, ErrorState, Skeleton } from '@/kit/states';
import * as fmt from '@/lib/format';
import { useTurn } from '@/lib/turns';
import { useStaleAge } from '@/transport/freshness';
import { useLinkStatus } from '@/transport/hooks';
import { MARKET, type PanelProps } from './panels';
import { usePanelParams } from './usePanelParams';

class Boundary extends Component<
  { children: ReactNode; render: (error: Error, retry: () => void) => ReactNode },
  { error: Error | null }
> {
  override state: { error: Error | null } = { error: null };
  static getDerivedStateFromError(error: Error) {
    return { error };
  }
  override render() {
    return this.state.error
      ? this.props.render(this.state.error, () => this.setState({ error: null }))
      : this.props.children;
  }
}

/** What every panel shares: its own failure stays inside it, and a lost connection is said above its last values. */
export function PanelFrame({
  kind,
  panel,
  Panel,
}: {
  kind: string;
  panel: IDockviewPanelProps;
  Panel: ComponentType<PanelProps>;
}) {
  const { t } = useTranslation();
  const link = useLinkStatus();
  const params = usePanelParams(panel.api, panel.params);
  const down = link === 'retrying' || link === 'closed';
  const age = useStaleAge();
  const turn = useTurn(kind, panel.api.id);
  const stale = MARKET.has(kind) && !down ? age : null;
  return (
    <section
      aria-label={t(`panel.${kind}` as 'panel.chart')}
      data-kind={kind}
      data-link={down ? 'down' : 'up'}
      data-freshness={stale === null ? 'fresh' : 'stale'}
      className="flex h-full flex-col"
    >
      {down ? <Disconnected text={t('state.disconnected')} /> : null}
      {stale === null ? null : (
        <div className="flex h-6 shrink-0 items-center border-b border-line px-2.5">
          <AgeChip text={t('state.stale', { age: fmt.age(stale) })} />
        </div>
      )}
      <div className="min-h-0 flex-1">
        <Boundary
          render={(error, retry) => (
            <ErrorState
              message={t('panel.failed')}
              code={error.message}
              details={error.stack}
              retryLabel={t('action.retry')}
              copyLabel={t('action.copyDetails')}
              onRetry={retry}
            />
          )}
        >
          <Suspense fallback={<Skeleton label={t('state.loading')} />}>
            {turn ? (
              <Panel
                panelId={panel.api.id}
                params={params}
                setParams={(change) => panel.api.updateParameters(change)}
              />
            ) : (
              <Skeleton label={t('state.loading')} />
            )}
          </Suspense>
        </Boundary>
      </div>
    </section>
  );
}
