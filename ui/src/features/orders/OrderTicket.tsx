import { CornerDownLeft } from 'lucide-react';
import { type FormEvent, useEffect, useId, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/kit/Button';
import { cx } from '@/kit/cx';
import { Field, NumberInput, Select } from '@/kit/Field';
import { Segments } from '@/kit/Segments';
import { EmptyState, Skeleton } from '@/kit/states';
import { Toggle } from '@/kit/Toggle';
import { useAccount } from '@/lib/account';
import { type Draft, type Sizing, useDraft } from '@/lib/draft';
import * as fmt from '@/lib/format';
import { type Group, useLinks } from '@/lib/links';
import { useUi } from '@/lib/ui';
import { useCommand, useLinkStatus } from '@/transport/hooks';
import { useInstrument } from '@/transport/instruments';
import { useQuote } from '@/transport/live';
import type { Instrument, OrderType, Quote, Side, TimeInForce } from '@/transport/types';
import { PreviewBox } from './PreviewBox';
import { distance, levelAway, NEEDS, sizeFor, toRequest } from './sizing';

const TYPES: OrderType[] = ['market', 'limit', 'stop', 'stop_limit', 'trailing_stop'];
const TIFS: TimeInForce[] = ['gtc', 'day', 'ioc', 'fok'];

export function OrderTicket({ group }: { group: Group }) {
  const { t } = useTranslation();
  const id = useLinks((s) => s.instrument[group]);
  const instrument = useInstrument(id);
  const quote = useQuote(id);
  const draft = useDraft();
  const account = useAccount();
  const { begin } = draft;

  useEffect(() => {
    if (!instrument || !quote || !account || draft.instrument === instrument.id) return;
    // A ticket that already says something: one percent at risk between the price and a stop one percent away.
    const { last } = quote;
    const way = draft.side === 'buy' ? '' : '-';
    const back = draft.side === 'buy' ? '-' : '';
    const stopLoss = levelAway(last, `${back}0.01`, instrument) ?? '';
    begin(instrument.id, {
      price: last,
      bracket: true,
      takeProfit: levelAway(last, `${way}0.02`, instrument) ?? '',
      stopLoss,
      sizing: 'risk1',
      qty: sizeFor('risk1', account.equity, last, stopLoss, instrument) ?? '',
    });
  }, [instrument, quote, account, draft.instrument, draft.side, begin]);

  if (!instrument) return <Skeleton label={t('state.loading')} rows={8} />;
  if (!quote) return <EmptyState title={t('ticket.noQuote')}>{t('ticket.noQuoteText')}</EmptyState>;
  return <TicketForm key={draft.number} instrument={instrument} quote={quote} draft={draft} change={draft.change} />;
}

function TicketForm({
  instrument,
  quote,
  draft,
  change,
}: {
  instrument: Instrument;
  quote: Quote;
  draft: Draft;
  change: (change: Partial<Draft>) => void;
}) {
  const { t } = useTranslation();
  const account = useAccount();
  const link = useLinkStatus();
  const [tried, setTried] = useState(false);
  const need = NEEDS[draft.type];
  const entry = need.price ? draft.price : need.stop ? draft.stop : draft.side === 'buy' ? quote.ask : quote.bid;
  const request = useMemo(
    () => toRequest(draft, instrument.id, account?.id ?? 'paper'),
    [draft, instrument.id, account?.id],
  );
  const settled = useSettled(request.order ? JSON.stringify(request.order) : '', 200);
  const preview = useCommand('orders.preview', settled ? JSON.parse(settled) : (null as never), {
    enabled: settled !== '' && link === 'open',
    placeholderData: (old) => old,
    refetchInterval: 5_000,
    retry: false,
  });

  const resize = (sizing: Sizing, extra: Partial<Draft> = {}) => {
    const next = { ...draft, ...extra };
    const qty =
      sizing === 'units' || !account
        ? null
        : sizeFor(sizing, account.equity, entry, next.bracket ? next.stopLoss : '', instrument);
    change({ ...extra, sizing, ...(qty === null ? {} : { qty }) });
  };
  const toggleBracket = (bracket: boolean) => {
    const up = draft.side === 'buy';
    change({
      bracket,
      ...(bracket && !draft.takeProfit
        ? { takeProfit: levelAway(entry, up ? '0.02' : '-0.02', instrument) ?? '' }
        : {}),
      ...(bracket && !draft.stopLoss ? { stopLoss: levelAway(entry, up ? '-0.01' : '0.01', instrument) ?? '' } : {}),
    });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (request.order && preview.data)
      useUi.getState().open({ kind: 'review', order: request.order, preview: preview.data });
  };

  const problem = (field: string) => (tried && request.problem === field ? t('ticket.needNumber') : undefined);
  const serverField = preview.error?.field;
  const fieldError = (field: string, name: string) =>
    problem(field) ?? (serverField === name ? preview.error?.message : undefined);
  const failed = preview.data?.checks.filter((check) => !check.pass) ?? [];
  const off = link !== 'open' || account?.halted;
  const sentence = t(draft.side === 'buy' ? 'ticket.reviewBuy' : 'ticket.reviewSell', {
    qty: draft.qty ? fmt.quantity(draft.qty, instrument.quantity_decimals) : '…',
    base: instrument.base,
  });

  return (
    <form onSubmit={submit} noValidate className="flex h-full flex-col gap-2 overflow-auto p-2.5 [&>*]:shrink-0">
      <SideButtons
        side={draft.side}
        quote={quote}
        decimals={instrument.price_decimals}
        onChange={(side) => change({ side, takeProfit: '', stopLoss: '', bracket: false })}
      />
      <Segments
        label={t('ticket.type')}
        value={draft.type}
        onChange={(type) => change({ type, price: draft.price || quote.last, stop: draft.stop || quote.last })}
        options={TYPES.map((value) => ({ value, label: t(`ticket.types.${value}`) }))}
        className="-mx-0.5"
      />
      <div className="grid grid-cols-2 gap-2">
        {need.price ? (
          <Field label={t('ticket.limitPrice')} hint={instrument.quote_currency} error={fieldError('price', 'price')}>
            {(props) => (
              <NumberInput {...props} value={draft.price} onChange={(e) => change({ price: e.target.value })} />
            )}
          </Field>
        ) : null}
        {need.stop ? (
          <Field label={t('ticket.stopPrice')} hint={instrument.quote_currency} error={fieldError('stop', 'stop')}>
            {(props) => (
              <NumberInput {...props} value={draft.stop} onChange={(e) => change({ stop: e.target.value })} />
            )}
          </Field>
        ) : null}
        {need.trail ? (
          <Field label={t('ticket.trail')} hint={instrument.quote_currency} error={fieldError('trail', 'trail')}>
            {(props) => (
              <NumberInput {...props} value={draft.trail} onChange={(e) => change({ trail: e.target.value })} />
            )}
          </Field>
        ) : null}
        <Field
          label={t('ticket.quantity')}
          hint={instrument.base}
          error={fieldError('qty', 'qty')}
          className={need.price === need.stop && !need.trail ? 'col-span-2' : ''}
        >
          {(props) => (
            <NumberInput
              {...props}
              value={draft.qty}
              onChange={(e) => change({ qty: e.target.value, sizing: 'units' })}
            />
          )}
        </Field>
      </div>
      <Segments
        boxed
        label={t('ticket.size')}
        value={draft.sizing === 'units' ? null : draft.sizing}
        onChange={(sizing) => {
          if (sizing !== 'risk1' || (draft.bracket && draft.stopLoss)) resize(sizing);
          else
            resize(sizing, {
              bracket: true,
              stopLoss: levelAway(entry, draft.side === 'buy' ? '-0.01' : '0.01', instrument) ?? '',
              takeProfit:
                draft.takeProfit || (levelAway(entry, draft.side === 'buy' ? '0.02' : '-0.02', instrument) ?? ''),
            });
        }}
        options={(['p5', 'p10', 'p25', 'p50', 'risk1'] as const).map((value) => ({
          value,
          label: t(`ticket.sizes.${value}`),
          title: t(value === 'risk1' ? 'ticket.riskTitle' : 'ticket.shareTitle'),
        }))}
      />
      <div className="flex items-center justify-between">
        <Toggle
          checked={draft.bracket}
          onChange={toggleBracket}
          label={
            <>
              <span className="font-medium">{t('ticket.bracket')}</span>{' '}
              <span className="text-t2">{t('ticket.oco')}</span>
            </>
          }
        />
        {draft.bracket && preview.data?.risk_reward ? (
          <span className="text-t2">{t('ticket.riskReward', { ratio: fmt.price(preview.data.risk_reward, 1) })}</span>
        ) : null}
      </div>
      {draft.bracket ? (
        <div className="grid grid-cols-2 gap-2">
          {(['takeProfit', 'stopLoss'] as const).map((name) => (
            <Field
              key={name}
              label={t(`ticket.${name}`)}
              hint={
                <span className={name === 'takeProfit' ? 'text-up' : 'text-down'}>
                  {fmt.percentChange(distance(entry, draft[name]))}%
                </span>
              }
              error={fieldError(name, name === 'takeProfit' ? 'take_profit' : 'stop_loss')}
            >
              {(props) => (
                <NumberInput
                  {...props}
                  className={name === 'takeProfit' ? 'border-up/60' : 'border-down/60'}
                  value={draft[name]}
                  onChange={(e) => change({ [name]: e.target.value })}
                />
              )}
            </Field>
          ))}
        </div>
      ) : null}
      <div className="grid grid-cols-2 gap-2">
        <Field label={t('ticket.tif')}>
          {(props) => (
            <Select
              {...props}
              disabled={draft.type === 'market'}
              value={draft.tif}
              onChange={(e) => change({ tif: e.target.value as TimeInForce })}
            >
              {TIFS.map((tif) => (
                <option key={tif} value={tif}>
                  {t(`ticket.tifs.${tif}`)}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <fieldset className="flex flex-col justify-end text-t2">
          <legend className="sr-only">{t('ticket.flags')}</legend>
          <Check
            label={t('ticket.postOnly')}
            checked={draft.postOnly}
            disabled={!need.price}
            onChange={(postOnly) => change({ postOnly })}
          />
          <Check
            label={t('ticket.reduceOnly')}
            checked={draft.reduceOnly}
            disabled={false}
            onChange={(reduceOnly) => change({ reduceOnly })}
          />
        </fieldset>
      </div>
      <PreviewBox
        preview={request.order ? preview.data : undefined}
        error={preview.error}
        waiting={preview.isFetching && !preview.data}
        currency={instrument.quote_currency}
      />
      <Button
        type="submit"
        size="lg"
        variant={draft.side === 'buy' ? 'buy' : 'sell'}
        className="w-full"
        disabled={off || (tried && !request.order) || failed.length > 0}
      >
        {account?.halted ? t('ticket.halted') : link === 'open' ? sentence : t('ticket.offline')}
        {off ? null : <CornerDownLeft aria-hidden className="size-3.5 opacity-80" />}
      </Button>
      {account ? (
        <p className="text-center text-xs text-t3">
          {t('ticket.where', { account: account.id, venue: account.venue, mode: t(`ticket.modes.${account.mode}`) })}
        </p>
      ) : null}
    </form>
  );
}

function SideButtons({
  side,
  quote,
  decimals,
  onChange,
}: {
  side: Side;
  quote: Quote;
  decimals: number;
  onChange: (side: Side) => void;
}) {
  const { t } = useTranslation();
  return (
    <div
      role="group"
      aria-label={t('ticket.side')}
      className="grid shrink-0 grid-cols-2 overflow-hidden rounded-md border border-line"
    >
      {(['sell', 'buy'] as const).map((each) => (
        <button
          key={each}
          type="button"
          aria-pressed={side === each}
          onClick={() => onChange(each)}
          className={cx(
            'flex h-9.5 flex-col items-center justify-center leading-4',
            side === each
              ? each === 'buy'
                ? 'bg-buy text-white'
                : 'bg-sell text-white'
              : each === 'buy'
                ? 'bg-up/10 text-up'
                : 'bg-down/10 text-down',
          )}
        >
          <span className="font-semibold">{t(each === 'buy' ? 'side.Buy' : 'side.Sell')}</span>
          <span className="live text-xs">{fmt.price(each === 'buy' ? quote.ask : quote.bid, decimals)}</span>
        </button>
      ))}
    </div>
  );
}

function Check({
  label,
  checked,
  disabled,
  onChange,
}: {
  label: string;
  checked: boolean;
  disabled: boolean;
  onChange: (checked: boolean) => void;
}) {
  const id = useId();
  return (
    <span className="flex h-6 items-center gap-1.5">
      <input
        id={id}
        type="checkbox"
        className="accent-(--solid)"
        checked={checked}
        disabled={disabled}
        onChange={(e) => onChange(e.target.checked)}
      />
      <label htmlFor={id}>{label}</label>
    </span>
  );
}

/** `value` once it has not changed for `ms`. */
function useSettled(value: string, ms: number): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return value === '' ? '' : settled;
}
