import { useQueryClient } from '@tanstack/react-query';
import { Play, Workflow } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/kit/Button';
import { Chip, type Tone } from '@/kit/Chip';
import { Dialog } from '@/kit/Dialog';
import { Field, Select } from '@/kit/Field';
import { type Column, Grid } from '@/kit/Grid';
import { ParamField } from '@/kit/ParamField';
import { EmptyState, ErrorState, Skeleton } from '@/kit/states';
import { toast } from '@/kit/toasts';
import { useAccount } from '@/lib/account';
import * as fmt from '@/lib/format';
import { type Group, useLinks } from '@/lib/links';
import { useAction, useCommand } from '@/transport/hooks';
import { symbolOf, useInstruments } from '@/transport/instruments';
import type { RunningStrategy, StrategyInfo } from '@/transport/types';

const TONES: Record<RunningStrategy['state'], Tone> = {
  warming: 'neutral',
  running: 'up',
  paused: 'warn',
  stopped: 'neutral',
};

export function Strategies({ group }: { group: Group }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const running = useCommand('strategies.running', {}, { refetchInterval: 2_000 });
  const known = useCommand('strategies.list', {}, { staleTime: 60_000 }).data?.strategies ?? [];
  const stop = useAction('strategies.stop');
  const [starting, setStarting] = useState(false);
  const refresh = () => void queries.invalidateQueries({ queryKey: ['strategies.running'] });
  if (running.isPending) return <Skeleton label={t('state.loading')} />;
  if (running.error)
    return (
      <ErrorState
        message={running.error.message}
        code={running.error.code}
        retryLabel={t('action.retry')}
        copyLabel={t('action.copyDetails')}
        onRetry={() => void running.refetch()}
      />
    );
  const rows = running.data.strategies;
  const columns: Column<RunningStrategy>[] = [
    { id: 'name', head: t('backtest.strategy'), width: '1.2fr', cell: (s) => s.strategy, className: 'font-medium' },
    {
      id: 'instrument',
      head: t('blotter.symbol'),
      width: '1fr',
      cell: (s) => `${symbolOf(s.instrument)} ${s.timeframe}`,
    },
    {
      id: 'params',
      head: t('automation.params'),
      width: '1.4fr',
      cell: (s) =>
        Object.entries(s.params)
          .map(([k, v]) => `${k} ${v}`)
          .join(', '),
      className: 'text-t2',
    },
    { id: 'account', head: t('blotter.account'), width: '80px', cell: (s) => s.account, className: 'text-t2' },
    {
      id: 'state',
      head: t('monitor.state'),
      width: '80px',
      cell: (s) => <Chip tone={TONES[s.state]}>{t(`automation.states.${s.state}`)}</Chip>,
    },
    {
      id: 'signals',
      head: t('automation.signals'),
      width: '70px',
      numeric: true,
      cell: (s) => fmt.integer(s.signal_count),
    },
    { id: 'orders', head: t('panel.orders'), width: '70px', numeric: true, cell: (s) => fmt.integer(s.order_count) },
    {
      id: 'since',
      head: t('automation.since'),
      width: '110px',
      cell: (s) => fmt.dateTime(s.since),
      className: 'text-t2',
    },
    {
      id: 'stop',
      head: '',
      width: '56px',
      cell: (s) =>
        s.state === 'stopped' ? null : (
          <Button
            variant="link"
            size="bare"
            className="h-6"
            aria-label={t('automation.stopOf', { name: `${s.strategy} ${symbolOf(s.instrument)}` })}
            onClick={() =>
              stop.mutate(
                { id: s.id },
                {
                  onSettled: refresh,
                  onError: (error) => toast({ tone: 'crit', title: t('automation.stopFailed'), detail: error.message }),
                },
              )
            }
          >
            {t('automation.stop')}
          </Button>
        ),
    },
  ];
  return (
    <div className="flex h-full flex-col">
      <div className="flex h-9 shrink-0 items-center justify-between border-b border-line px-2.5">
        <span className="text-t2">
          {t('automation.running', { count: rows.filter((s) => s.state !== 'stopped').length })}
        </span>
        <Button size="sm" variant="solid" onClick={() => setStarting(true)} disabled={known.length === 0}>
          <Play aria-hidden className="size-3" /> {t('automation.start')}
        </Button>
      </div>
      <div className="min-h-0 flex-1">
        {rows.length === 0 ? (
          <EmptyState
            icon={<Workflow />}
            title={t('automation.none')}
            action={{ label: t('automation.start'), run: () => setStarting(true) }}
          >
            {t('automation.noneText')}
          </EmptyState>
        ) : (
          <Grid label={t('panel.strategies')} columns={columns} rows={rows} keyOf={(s) => s.id} rowHeight={28} />
        )}
      </div>
      {starting ? (
        <StartDialog
          strategies={known}
          group={group}
          onDone={() => {
            setStarting(false);
            refresh();
          }}
        />
      ) : null}
    </div>
  );
}

function StartDialog({ strategies, group, onDone }: { strategies: StrategyInfo[]; group: Group; onDone: () => void }) {
  const { t } = useTranslation();
  const account = useAccount();
  const instruments = useInstruments();
  const linked = useLinks((s) => s.instrument[group]);
  const start = useAction('strategies.start');
  const [name, setName] = useState(strategies[0]?.name ?? '');
  const [instrument, setInstrument] = useState(linked);
  const [timeframe, setTimeframe] = useState('1m');
  const [params, setParams] = useState<Record<string, string>>({});
  const strategy = strategies.find((each) => each.name === name);
  const run = () =>
    start.mutate(
      {
        strategy: name,
        instrument,
        timeframe,
        account: account?.id ?? 'paper',
        params: Object.fromEntries((strategy?.params ?? []).map((p) => [p.name, params[p.name] ?? p.default])),
      },
      { onSuccess: onDone },
    );
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onDone()}
      title={t('automation.startTitle')}
      description={
        account
          ? t('review.where', { account: account.id, venue: account.venue, mode: t(`ticket.modes.${account.mode}`) })
          : undefined
      }
      closeLabel={t('action.close')}
      footer={
        <>
          <Button onClick={onDone}>{t('action.cancel')}</Button>
          <Button variant="solid" disabled={start.isPending} onClick={run}>
            {t('automation.startOn', { name: strategy?.title ?? name, symbol: symbolOf(instrument) })}
          </Button>
        </>
      }
    >
      <div className="grid grid-cols-2 gap-2">
        <Field label={t('backtest.strategy')} className="col-span-2">
          {(props) => (
            <Select {...props} value={name} onChange={(e) => setName(e.target.value)}>
              {strategies.map((each) => (
                <option key={each.name} value={each.name}>
                  {each.title}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <p className="col-span-2 text-t2">{strategy?.description}</p>
        <Field label={t('backtest.instrument')}>
          {(props) => (
            <Select {...props} value={instrument} onChange={(e) => setInstrument(e.target.value)}>
              {instruments.map((each) => (
                <option key={each.id} value={each.id}>
                  {each.symbol}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label={t('chart.timeframe')}>
          {(props) => (
            <Select {...props} value={timeframe} onChange={(e) => setTimeframe(e.target.value)}>
              {['1m', '5m', '15m', '1h', '4h', '1d'].map((each) => (
                <option key={each}>{each}</option>
              ))}
            </Select>
          )}
        </Field>
        {(strategy?.params ?? []).map((p) => (
          <ParamField
            key={`${name} ${p.name}`}
            param={p}
            value={params[p.name] ?? p.default}
            onChange={(value) => setParams({ ...params, [p.name]: value })}
          />
        ))}
      </div>
      {start.error ? (
        <p role="alert" className="mt-3 text-crit">
          {start.error.message}
        </p>
      ) : null}
    </Dialog>
  );
}
