import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Column, Grid } from '@/kit/Grid';
import { EmptyState, ErrorState, Skeleton } from '@/kit/states';
import * as fmt from '@/lib/format';
import { type Group, useLinks } from '@/lib/links';
import { useInstrument } from '@/transport/instruments';
import { useLive } from '@/transport/live';
import type { TradePrint } from '@/transport/types';

/** Prints of the market, newest first, with a filter for the small ones. */
export function TapePanel({ group }: { group: Group }) {
  const { t } = useTranslation();
  const id = useLinks((s) => s.instrument[group]);
  const instrument = useInstrument(id);
  const { data, error } = useLive('trades', { instrument: id });
  const [least, setLeast] = useState('');
  const rows = useMemo(() => {
    const smallest = Number(least) || 0;
    return (data ?? []).filter((trade) => Number(trade.qty) >= smallest).reverse();
  }, [data, least]);
  if (error && !data)
    return (
      <ErrorState
        message={error.message}
        code={error.code}
        retryLabel={t('action.retry')}
        copyLabel={t('action.copyDetails')}
      />
    );
  if (!data) return <Skeleton label={t('state.loading')} rows={12} />;
  const columns: Column<TradePrint>[] = [
    {
      id: 'time',
      head: t('chart.table.time'),
      width: '76px',
      cell: (trade) => fmt.clock(trade.time),
      className: 'text-t2',
    },
    {
      id: 'price',
      head: t('depth.price'),
      width: '1fr',
      numeric: true,
      cell: (trade) => `${trade.side === 'buy' ? '▲' : '▼'} ${fmt.price(trade.price, instrument?.price_decimals ?? 2)}`,
      className: (trade) => (trade.side === 'buy' ? 'text-up' : 'text-down'),
    },
    {
      id: 'qty',
      head: t('ticket.quantity'),
      width: '1fr',
      numeric: true,
      cell: (trade) => fmt.quantity(trade.qty, instrument?.quantity_decimals ?? 0),
    },
  ];
  return (
    <div className="flex h-full flex-col">
      <label className="flex h-8 shrink-0 items-center gap-2 border-b border-line px-2.5 text-xs text-t2">
        {t('tape.least')}
        <input
          inputMode="decimal"
          value={least}
          onChange={(event) => setLeast(event.target.value)}
          className="num h-6 w-20 rounded-sm border border-ctl bg-bg0 px-1.5 text-t1 selectable"
        />
      </label>
      <div className="min-h-0 flex-1">
        {rows.length === 0 ? (
          <EmptyState title={t('tape.empty')} />
        ) : (
          <Grid
            label={t('panel.tape')}
            columns={columns}
            rows={rows}
            rowHeight={20}
            keyOf={(trade) => `${trade.time} ${trade.price} ${trade.qty}`}
          />
        )}
      </div>
    </div>
  );
}
