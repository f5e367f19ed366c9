import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Column, Grid } from '@/kit/Grid';
import * as fmt from '@/lib/format';
import { CLOSE, HIGH, LOW, OPEN, PLOTS, TIME, VOLUME } from './candleStore';
import type { ChartController } from './controller';
import { studyTitle } from './study';

/** The same candles as a table (Alt+T), newest first. */
export function ChartTable({ chart, title, decimals }: { chart: ChartController; title: string; decimals: number }) {
  const { t } = useTranslation();
  const [rows, setRows] = useState<number[]>([]);
  useEffect(() => {
    const read = () => setRows(Array.from({ length: chart.store.rows }, (_, i) => chart.store.rows - 1 - i));
    read();
    const timer = setInterval(read, 2_000);
    return () => clearInterval(timer);
  }, [chart]);
  const column = (id: string, head: string, c: number, digits: number | null): Column<number> => ({
    id,
    head,
    width: 'minmax(76px, 1fr)',
    numeric: true,
    cell: (row) => {
      const value = chart.store.at(c, row);
      return Number.isNaN(value) ? '–' : digits === null ? fmt.reading(value) : fmt.price(value, digits);
    },
  });
  const columns: Column<number>[] = [
    {
      id: 'time',
      head: t('chart.table.time'),
      width: '120px',
      cell: (row) => fmt.dateTime(chart.store.at(TIME, row) * 1000),
    },
    column('open', t('chart.table.open'), OPEN, decimals),
    column('high', t('chart.table.high'), HIGH, decimals),
    column('low', t('chart.table.low'), LOW, decimals),
    column('close', t('chart.table.close'), CLOSE, decimals),
    column('volume', t('chart.volume'), VOLUME, 2),
    ...chart.store.names.slice(PLOTS).map((name, i) => {
      const plot = chart.plan?.plots.find((each) => each.column === PLOTS + i);
      return column(name, plot?.title ?? studyTitle(name), PLOTS + i, plot && plot.pane > 0 ? null : decimals);
    }),
  ];
  return (
    <div className="absolute inset-0 z-20 bg-bg1">
      <Grid
        label={t('chart.table.label', { title })}
        columns={columns}
        rows={rows}
        keyOf={(row) => String(chart.store.at(TIME, row))}
      />
    </div>
  );
}
