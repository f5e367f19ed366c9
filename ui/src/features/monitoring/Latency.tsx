import { Timer } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { EmptyState, ErrorState, Skeleton } from '@/kit/states';
import * as fmt from '@/lib/format';
import { useCommand } from '@/transport/hooks';
import type { Histogram } from '@/transport/types';

const LEAST = 1e-3;
/** Where a value stands on a logarithmic scale from `LEAST` to `most`, 0 to 1. */
export function logShare(value: number, most: number): number {
  if (!(value > LEAST) || most <= LEAST) return 0.02;
  return Math.max(0.02, Math.min(1, Math.log(value / LEAST) / Math.log(most / LEAST)));
}

const short = (value: number) => fmt.quantity(Number(value.toPrecision(3)));
const title = (h: Histogram) => {
  const labels = Object.values(h.labels).join(' ');
  return `${h.name
    .replace(/^candlewick_/, '')
    .replace(/_(seconds|ms|us|ns)$/, '')
    .replaceAll('_', ' ')}${labels ? ` · ${labels}` : ''}`;
};

/** Quantiles of everything the engine times, on one logarithmic scale; the tail beyond p95 in amber. */
export function Latency() {
  const { t } = useTranslation();
  const query = useCommand('metrics.get', {}, { refetchInterval: 2_000 });
  if (query.isPending) return <Skeleton label={t('state.loading')} rows={6} />;
  if (query.error)
    return (
      <ErrorState
        message={query.error.message}
        code={query.error.code}
        retryLabel={t('action.retry')}
        copyLabel={t('action.copyDetails')}
        onRetry={() => void query.refetch()}
      />
    );
  const shown = query.data.histograms.filter((h) => h.count > 0);
  if (shown.length === 0)
    return (
      <EmptyState icon={<Timer />} title={t('monitor.noLatency')}>
        {t('monitor.noLatencyText')}
      </EmptyState>
    );
  const most = Math.max(...shown.map((h) => h.max), 1);
  return (
    <div
      tabIndex={0}
      role="group"
      aria-label={t('panel.latency')}
      className="grid h-full auto-rows-min grid-cols-[repeat(auto-fill,minmax(300px,1fr))] gap-x-6 gap-y-4 overflow-auto p-3"
    >
      {shown.map((h) => (
        <section key={title(h)} aria-label={title(h)}>
          <div className="mb-1.5 flex items-baseline gap-3">
            <h3 className="min-w-0 flex-1 truncate font-medium">{title(h)}</h3>
            <span className="text-xs text-t2">
              p50 <b className="text-t1">{short(h.p50)}</b> p95 <b className="text-t1">{short(h.p95)}</b> p99{' '}
              <b className="text-t1">{short(h.p99)}</b> {h.unit}
            </span>
          </div>
          <div aria-hidden className="flex flex-col gap-0.5">
            {(['p50', 'p95', 'p99', 'max'] as const).map((q) => (
              <div key={q} className="flex items-center gap-2">
                <span className="w-7 text-2xs text-t3">{q}</span>
                <span
                  className={`h-2 rounded-[2px] ${q === 'p99' || q === 'max' ? 'bg-warn' : 'bg-accent'}`}
                  style={{ width: `calc(${logShare(h[q], most) * 100}% - 40px)`, minWidth: 2 }}
                />
              </div>
            ))}
          </div>
          <p className="mt-1 text-2xs text-t3">{t('monitor.samples', { count: h.count })}</p>
        </section>
      ))}
    </div>
  );
}
