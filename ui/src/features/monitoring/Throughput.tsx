import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Plot } from '@/kit/Plot';
import { EmptyState } from '@/kit/states';
import * as fmt from '@/lib/format';
import { usePrefs } from '@/lib/prefs';
import { useCommand } from '@/transport/hooks';
import type { Metrics } from '@/transport/types';
import { Figures, LegendLine } from './Figures';
import { useStatsHistory } from './history';

const clock = (seconds: number) => fmt.clock(seconds * 1_000);
const whole = (value: number) => fmt.integer(Math.round(value));

/** Sum of a counter over all its labels; `null` when the engine does not count it. */
export function total(metrics: Metrics | undefined, pattern: RegExp): number | null {
  const found = metrics?.counters.filter((each) => pattern.test(each.name)) ?? [];
  return found.length ? found.reduce((sum, each) => sum + each.value, 0) : null;
}

export function Throughput() {
  const { t } = useTranslation();
  const theme = usePrefs((s) => s.theme);
  const samples = useStatsHistory();
  const metrics = useCommand('metrics.get', {}, { refetchInterval: 2_000 }).data;
  const data = useMemo(
    () => [samples.map((s) => s.time), samples.map((s) => s.messages), samples.map((s) => s.queue)],
    [samples],
  );
  const last = samples.at(-1);
  if (!last) return <EmptyState title={t('monitor.waiting')}>{t('monitor.waitingText')}</EmptyState>;
  const counted: [string, number | null][] = [
    [t('monitor.candles'), total(metrics, /candle/i)],
    [t('monitor.orders'), total(metrics, /orders?(_total)?$/i)],
    [t('monitor.dropped'), total(metrics, /dropped/i)],
  ];
  const legend = [
    { label: t('monitor.messages'), color: 'accent', fill: true },
    { label: t('monitor.queue'), color: 'violet', fill: true },
  ];
  return (
    <div className="flex h-full flex-col">
      <Figures
        items={[
          { name: t('monitor.messages'), value: whole(last.messages) },
          { name: t('monitor.queue'), value: whole(last.queue) },
          ...counted.filter(([, value]) => value !== null).map(([name, value]) => ({ name, value: whole(value ?? 0) })),
        ]}
      />
      <LegendLine items={legend} />
      <div className="min-h-0 flex-1 px-1 pb-1">
        <Plot
          label={t('monitor.throughputPlot')}
          series={legend}
          data={data}
          format={whole}
          formatTime={clock}
          theme={theme}
        />
      </div>
    </div>
  );
}

const percent = (value: number) => fmt.percent(value, value > 0 && value < 0.1 ? 1 : 0);

export function Resources() {
  const { t } = useTranslation();
  const theme = usePrefs((s) => s.theme);
  const samples = useStatsHistory();
  const metrics = useCommand('metrics.get', {}, { refetchInterval: 2_000 }).data;
  const data = useMemo(() => [samples.map((s) => s.time), samples.map((s) => s.cpu)], [samples]);
  const last = samples.at(-1);
  if (!last) return <EmptyState title={t('monitor.waiting')}>{t('monitor.waitingText')}</EmptyState>;
  const legend = [{ label: t('monitor.cpu'), color: 'accent', fill: true }];
  const gauges = (metrics?.gauges ?? []).filter((gauge) => /bytes$/.test(gauge.name)).slice(0, 3);
  return (
    <div className="flex h-full flex-col">
      <Figures
        items={[
          { name: t('monitor.cpuOf'), value: percent(last.cpu) },
          { name: t('monitor.memory'), value: `${whole(last.memory)} MB` },
          ...gauges.map((gauge) => ({
            name: gauge.name.replace(/^candlewick_|_bytes$/g, '').replaceAll('_', ' '),
            value: `${fmt.compact(gauge.value)}B`,
          })),
        ]}
      />
      <LegendLine items={legend} />
      <div className="min-h-0 flex-1 px-1 pb-1">
        <Plot
          label={t('monitor.resourcePlot')}
          series={legend}
          data={data}
          format={percent}
          formatTime={clock}
          theme={theme}
        />
      </div>
    </div>
  );
}
