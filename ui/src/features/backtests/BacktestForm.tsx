import { FlaskConical } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/kit/Button';
import { Field, Input, NumberInput, Select } from '@/kit/Field';
import { ParamField } from '@/kit/ParamField';
import { EmptyState, ErrorState, Skeleton } from '@/kit/states';
import * as fmt from '@/lib/format';
import { type Group, useLinks } from '@/lib/links';
import { useCommand } from '@/transport/hooks';
import { useInstruments } from '@/transport/instruments';
import type { BacktestArgs, StrategyInfo } from '@/transport/types';
import { useBacktests } from './backtest.store';
import { useRunner } from './useRunner';

/** By the clock, by number of trades, by volume. */
const TIMEFRAMES = ['1m', '5m', '15m', '1h', '4h', '1d', '100t', '500t', '1000t', '100v', '1000v'];

export function BacktestForm({ group }: { group: Group }) {
  const { t } = useTranslation();
  const query = useCommand('strategies.list', {}, { staleTime: 60_000 });
  if (query.isPending) return <Skeleton label={t('state.loading')} rows={8} />;
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
  const { strategies } = query.data;
  if (strategies.length === 0)
    return (
      <EmptyState icon={<FlaskConical />} title={t('backtest.none')}>
        {t('backtest.noneText')}
      </EmptyState>
    );
  return <Form strategies={strategies} group={group} />;
}

function Form({ strategies, group }: { strategies: StrategyInfo[]; group: Group }) {
  const { t } = useTranslation();
  const instruments = useInstruments();
  const linked = useLinks((s) => s.instrument[group]);
  const run = useBacktests((s) => s.run);
  const { job, start, cancel } = useRunner();
  const [name, setName] = useState(strategies[0]?.name ?? '');
  const strategy = strategies.find((each) => each.name === name);
  const [params, setParams] = useState<Record<string, string>>({});
  const [instrument, setInstrument] = useState<string | null>(null);
  const [timeframe, setTimeframe] = useState('15m');
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const [cash, setCash] = useState('30000');
  const [fee, setFee] = useState('5');
  const [slippage, setSlippage] = useState('1');
  const running = run?.state === 'running';

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const day = (text: string) => (text ? new Date(`${text}T00:00:00Z`).toISOString() : undefined);
    const args: BacktestArgs = {
      strategy: name,
      params: Object.fromEntries((strategy?.params ?? []).map((p) => [p.name, params[p.name] ?? p.default])),
      instrument: instrument ?? linked,
      timeframe,
      ...(day(from) ? { from: day(from) } : {}),
      ...(day(to) ? { to: day(to) } : {}),
      ...(cash ? { cash } : {}),
      ...(fee ? { fee_bps: fee } : {}),
      ...(slippage ? { slippage_bps: slippage } : {}),
    };
    start(args);
  };
  return (
    <form onSubmit={submit} className="flex h-full flex-col gap-2.5 overflow-auto p-2.5">
      <Field label={t('backtest.strategy')}>
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
      <p className="text-t2">{strategy?.description}</p>
      <div className="grid grid-cols-2 gap-2">
        {(strategy?.params ?? []).map((p) => (
          <ParamField
            key={`${name} ${p.name}`}
            param={p}
            value={params[p.name] ?? p.default}
            onChange={(value) => setParams({ ...params, [p.name]: value })}
          />
        ))}
        <Field label={t('backtest.instrument')}>
          {(props) => (
            <Select {...props} value={instrument ?? linked} onChange={(e) => setInstrument(e.target.value)}>
              {instruments.map((each) => (
                <option key={each.id} value={each.id}>
                  {each.venue === 'SIM' ? each.symbol : each.id}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label={t('chart.timeframe')}>
          {(props) => (
            <Select {...props} value={timeframe} onChange={(e) => setTimeframe(e.target.value)}>
              {TIMEFRAMES.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </Select>
          )}
        </Field>
        <Field label={t('backtest.from')}>
          {(props) => <Input {...props} type="date" value={from} onChange={(e) => setFrom(e.target.value)} />}
        </Field>
        <Field label={t('backtest.to')}>
          {(props) => <Input {...props} type="date" value={to} onChange={(e) => setTo(e.target.value)} />}
        </Field>
        <Field label={t('backtest.cash')}>
          {(props) => <NumberInput {...props} value={cash} onChange={(e) => setCash(e.target.value)} />}
        </Field>
        <Field label={t('backtest.fee')}>
          {(props) => <NumberInput {...props} value={fee} onChange={(e) => setFee(e.target.value)} />}
        </Field>
        <Field label={t('backtest.slippage')}>
          {(props) => <NumberInput {...props} value={slippage} onChange={(e) => setSlippage(e.target.value)} />}
        </Field>
      </div>
      {running ? (
        <div role="status" className="flex items-center gap-2">
          <progress
            aria-label={t('monitor.progress')}
            className="h-1.5 flex-1 accent-(--solid)"
            value={job?.progress ?? 0}
            max={1}
          />
          <span className="num w-10">{fmt.percent(job?.progress ?? 0)}</span>
          <Button size="sm" onClick={cancel}>
            {t('action.cancel')}
          </Button>
        </div>
      ) : null}
      {run?.error ? (
        <p role="alert" className="text-crit">
          {run.error}
        </p>
      ) : null}
      <Button type="submit" variant="solid" size="lg" disabled={running} className="mt-auto w-full">
        {running ? (job?.message ?? t('backtest.starting')) : t('backtest.run')}
      </Button>
    </form>
  );
}
