import { ChartLine } from 'lucide-react';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { type Column, Grid } from '@/kit/Grid';
import { Plot } from '@/kit/Plot';
import { EmptyState, Skeleton } from '@/kit/states';
import * as fmt from '@/lib/format';
import { usePrefs } from '@/lib/prefs';
import { useUi } from '@/lib/ui';
import { symbolOf, useInstruments } from '@/transport/instruments';
import type { BacktestResult } from '@/transport/types';
import { useBacktests } from './backtest.store';

type Trip = BacktestResult['trades'][number];
const MAX_POINTS = 2_000;

/** Every n-th point so that a plot stays within what it can draw; the last one is always kept. */
export function thin<T>(points: readonly T[], most: number = MAX_POINTS): T[] {
  if (points.length <= most) return [...points];
  const every = Math.ceil(points.length / (most - 1));
  const kept = points.filter((_, i) => i % every === 0);
  const last = points.at(-1);
  return last !== undefined && kept.at(-1) !== last ? [...kept, last] : kept;
}

const RATIOS = /(^|_)(drawdown|rate|return|exposure|cagr|volatility)$/;
function metric(name: string, value: string | null): string {
  if (value === null) return '–';
  return RATIOS.test(name) ? fmt.percent(value, 2) : fmt.quantity(value.replace(/(\.\d{4})\d+$/, '$1'));
}

const day = (seconds: number) => fmt.dateTime(seconds * 1_000);
const compact = (value: number) => fmt.compact(value);
const negativePercent = (value: number) => fmt.percent(value, 0);

export function Report() {
  const { t } = useTranslation();
  const run = useBacktests((s) => s.run);
  const theme = usePrefs((s) => s.theme);
  const instruments = useInstruments();
  const curve = useMemo(() => thin(run?.result?.equity ?? []), [run?.result]);
  const data = useMemo(() => {
    const times = curve.map((p) => Date.parse(p.time) / 1_000);
    return {
      equity: [times, curve.map((p) => Number(p.equity))],
      drawdown: [times, curve.map((p) => -Math.abs(Number(p.drawdown)))],
    };
  }, [curve]);
  if (!run)
    return (
      <EmptyState
        icon={<ChartLine />}
        title={t('backtest.noReport')}
        action={{ label: t('panel.backtest'), run: () => useUi.getState().show('backtest') }}
      >
        {t('backtest.noReportText')}
      </EmptyState>
    );
  if (!run.result)
    return run.error ? (
      <EmptyState icon={<ChartLine />} title={t('backtest.failed')}>
        {run.error}
      </EmptyState>
    ) : (
      <Skeleton label={t('state.loading')} rows={8} />
    );
  const { result, args } = run;
  const decimals = instruments.find((i) => i.id === args.instrument)?.price_decimals ?? 2;
  const columns: Column<Trip & { n: number }>[] = [
    { id: 'n', head: '#', width: '44px', numeric: true, cell: (r) => r.n, className: 'text-t3' },
    {
      id: 'side',
      head: t('blotter.side'),
      width: '58px',
      cell: (r) => (r.side === 'buy' ? `▲ ${t('side.Long')}` : `▼ ${t('side.Short')}`),
      className: (r) => (r.side === 'buy' ? 'text-up' : 'text-down'),
    },
    { id: 'qty', head: t('ticket.quantity'), width: '1fr', numeric: true, cell: (r) => fmt.quantity(r.qty) },
    {
      id: 'in',
      head: t('blotter.entry'),
      width: '112px',
      cell: (r) => <time title={fmt.dateFull(r.entry_time)}>{fmt.dateTime(r.entry_time)}</time>,
      className: 'text-t2',
    },
    {
      id: 'inPrice',
      head: t('depth.price'),
      width: '1fr',
      numeric: true,
      cell: (r) => fmt.price(r.entry_price, decimals),
    },
    {
      id: 'out',
      head: t('backtest.exit'),
      width: '112px',
      cell: (r) => <time title={fmt.dateFull(r.exit_time)}>{fmt.dateTime(r.exit_time)}</time>,
      className: 'text-t2',
    },
    {
      id: 'outPrice',
      head: t('depth.price'),
      width: '1fr',
      numeric: true,
      cell: (r) => fmt.price(r.exit_price, decimals),
    },
    {
      id: 'pnl',
      head: t('backtest.pnl'),
      width: '1fr',
      numeric: true,
      cell: (r) => fmt.change(r.pnl),
      className: (r) => `font-medium ${fmt.toneClass(fmt.direction(r.pnl))}`,
    },
    { id: 'fees', head: t('backtest.fees'), width: '1fr', numeric: true, cell: (r) => fmt.money(r.fees) },
    { id: 'why', head: t('backtest.reason'), width: '1fr', cell: (r) => r.exit_reason, className: 'text-t2' },
  ];
  return (
    <div className="grid h-full grid-cols-[minmax(200px,260px)_minmax(0,1fr)] grid-rows-[minmax(0,1fr)]">
      <section aria-label={t('backtest.metrics')} tabIndex={0} className="overflow-auto border-r border-line p-2.5">
        <h3 className="mb-1.5 font-semibold">
          {args.strategy} · {symbolOf(args.instrument)} {args.timeframe}
        </h3>
        <dl className="grid grid-cols-[1fr_auto] gap-x-3 gap-y-1">
          {Object.entries(result.metrics).map(([name, value]) => (
            <div key={name} className="contents">
              <dt className="text-t2">{name.replaceAll('_', ' ')}</dt>
              <dd className="num font-medium">{metric(name, value ?? null)}</dd>
            </div>
          ))}
        </dl>
        <h3 className="mt-3 mb-1.5 font-semibold">{t('backtest.assumptions')}</h3>
        <dl className="grid grid-cols-[1fr_auto] gap-x-3 gap-y-1">
          {Object.entries(result.assumptions).map(([name, value]) => (
            <div key={name} className="contents">
              <dt className="text-t2">{name.replaceAll('_', ' ')}</dt>
              <dd className="text-right">{value}</dd>
            </div>
          ))}
        </dl>
        <p className="mt-3 text-xs break-all text-t3 selectable">
          {t('backtest.fingerprint')} <span className="font-mono">{result.fingerprint}</span>
        </p>
      </section>
      <div className="grid min-h-0 grid-rows-[minmax(100px,5fr)_minmax(70px,3fr)_minmax(0,6fr)]">
        <div className="min-h-0 px-1 pt-1">
          <Plot
            zeroBased={false}
            label={t('backtest.equityPlot')}
            series={[{ label: t('top.equity'), color: 'accent', fill: true }]}
            data={data.equity}
            format={compact}
            formatTime={day}
            theme={theme}
          />
        </div>
        <div className="min-h-0 border-b border-line px-1">
          <Plot
            zeroBased={false}
            label={t('backtest.drawdownPlot')}
            series={[{ label: t('backtest.drawdown'), color: 'down', fill: true }]}
            data={data.drawdown}
            format={negativePercent}
            formatTime={day}
            theme={theme}
          />
        </div>
        <div className="min-h-0">
          {result.trades.length === 0 ? (
            <EmptyState title={t('backtest.noTrades')}>{t('backtest.noTradesText')}</EmptyState>
          ) : (
            <Grid
              label={t('backtest.trades')}
              columns={columns}
              rows={result.trades.map((trade, i) => ({ ...trade, n: i + 1 }))}
              keyOf={(r) => String(r.n)}
            />
          )}
        </div>
      </div>
    </div>
  );
}
