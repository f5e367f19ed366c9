import { ChevronDown, WalletCards } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { type Column, Grid } from '@/kit/Grid';
import { Menu } from '@/kit/Menu';
import { EmptyState, ErrorState, Skeleton } from '@/kit/states';
import { useDraft } from '@/lib/draft';
import * as fmt from '@/lib/format';
import { useLinks } from '@/lib/links';
import { useUi } from '@/lib/ui';
import { symbolOf, useInstruments } from '@/transport/instruments';
import { useLive } from '@/transport/live';
import type { Position } from '@/transport/types';

export function Positions() {
  const { t } = useTranslation();
  const { data, error } = useLive('positions', {});
  const instruments = useInstruments();
  const { choose, instrument } = useLinks();
  const open = useUi((s) => s.open);
  const begin = useDraft((s) => s.begin);
  if (error && !data)
    return (
      <ErrorState
        message={error.message}
        code={error.code}
        retryLabel={t('action.retry')}
        copyLabel={t('action.copyDetails')}
      />
    );
  if (!data) return <Skeleton label={t('state.loading')} />;
  if (data.positions.length === 0)
    return (
      <EmptyState
        icon={<WalletCards />}
        title={t('blotter.noPositions')}
        action={{ label: t('blotter.openTicket'), run: () => useUi.getState().show('ticket') }}
      >
        {t('blotter.noPositionsText')}
      </EmptyState>
    );
  const decimals = (p: Position) => instruments.find((i) => i.id === p.instrument)?.price_decimals ?? 2;
  const qtyDecimals = (p: Position) => instruments.find((i) => i.id === p.instrument)?.quantity_decimals ?? 0;
  const number = (
    id: string,
    head: string,
    cell: (p: Position) => string,
    width = 'minmax(74px, 1fr)',
  ): Column<Position> => ({ id, head, width, numeric: true, cell });
  const columns: Column<Position>[] = [
    {
      id: 'symbol',
      head: t('blotter.symbol'),
      width: 'minmax(76px, 1fr)',
      cell: (p) => symbolOf(p.instrument),
      className: 'font-medium',
    },
    {
      id: 'side',
      head: t('blotter.side'),
      width: '58px',
      cell: (p) => (p.side === 'short' ? `▼ ${t('side.Short')}` : `▲ ${t('side.Long')}`),
      className: (p) => (p.side === 'short' ? 'text-down' : 'text-up'),
    },
    number('qty', t('ticket.quantity'), (p) => fmt.quantity(p.qty, qtyDecimals(p))),
    number('entry', t('blotter.entry'), (p) => fmt.price(p.entry_price, decimals(p))),
    number('mark', t('blotter.mark'), (p) => fmt.price(p.mark, decimals(p))),
    {
      ...number('pnl', t('blotter.pnl', { currency: data.totals[0]?.currency ?? '' }), (p) =>
        fmt.change(p.unrealized_pnl),
      ),
      className: (p) => `font-semibold ${fmt.toneClass(fmt.direction(p.unrealized_pnl))}`,
    },
    {
      ...number('ratio', '%', (p) => fmt.percentChange(p.unrealized_ratio), '58px'),
      className: (p) => fmt.toneClass(fmt.direction(p.unrealized_pnl)),
    },
    number('stop', t('ticket.stopLoss'), (p) => fmt.price(p.stop_loss, decimals(p))),
    number('target', t('ticket.takeProfit'), (p) => fmt.price(p.take_profit, decimals(p))),
    {
      id: 'account',
      head: t('blotter.account'),
      width: 'minmax(70px, 1fr)',
      cell: (p) => p.account,
      className: 'text-t2',
    },
    {
      id: 'source',
      head: t('blotter.source'),
      width: 'minmax(70px, 1fr)',
      cell: (p) => p.source,
      className: 'text-t2',
    },
    {
      id: 'close',
      head: '',
      width: '62px',
      cell: (p) => (
        <Menu
          align="end"
          trigger={
            <button
              type="button"
              aria-label={t('blotter.actionsOf', { symbol: symbolOf(p.instrument) })}
              className="flex h-6 items-center gap-1 rounded-sm px-1 text-t2 hover:bg-bg3 hover:text-t1"
            >
              {t('action.close')} <ChevronDown aria-hidden className="size-3" />
            </button>
          }
          items={[
            {
              id: 'close',
              label: t('blotter.close'),
              danger: true,
              run: () => open({ kind: 'close-position', position: p }),
            },
            {
              id: 'reverse',
              label: t('blotter.add'),
              run: () => {
                begin(p.instrument, { side: p.side === 'short' ? 'sell' : 'buy', price: p.mark, qty: p.qty });
                useUi.getState().show('ticket');
              },
            },
            { id: 'chart', label: t('blotter.showChart'), run: () => choose('A', p.instrument) },
          ]}
        />
      ),
    },
  ];
  const keyOf = (p: Position) => `${p.account} ${p.instrument}`;
  const chosen = data.positions.find((p) => p.instrument === instrument.A);
  return (
    <Grid
      label={t('panel.positions')}
      columns={columns}
      rows={data.positions}
      keyOf={keyOf}
      selected={chosen ? keyOf(chosen) : null}
      onSelect={(p) => choose('A', p.instrument)}
      onActivate={(p) => open({ kind: 'close-position', position: p })}
      footer={
        <div className="flex h-6 items-center gap-4 px-2.5 text-t2">
          {data.totals.map((total) => {
            const tone = fmt.toneClass(fmt.direction(total.unrealized_pnl));
            return (
              <span key={total.currency} className="flex gap-3">
                <span>{t('blotter.total', { currency: total.currency })}</span>
                <span className={`live font-semibold ${tone}`}>{fmt.change(total.unrealized_pnl)}</span>
                <span>{t('blotter.realized', { value: fmt.change(total.realized_pnl) })}</span>
              </span>
            );
          })}
        </div>
      }
    />
  );
}
