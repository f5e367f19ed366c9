import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/kit/Button';
import { Field, Input, Select } from '@/kit/Field';
import { toast } from '@/kit/toasts';
import { useAction } from '@/transport/hooks';
import { useInstruments } from '@/transport/instruments';

export const TIMEFRAMES = ['1m', '5m', '15m', '30m', '1h', '4h', '1d', '1w'];
const DAY = 86_400_000;
const dayOf = (milliseconds: number) => new Date(milliseconds).toISOString().slice(0, 10);
const startOf = (day: string) => `${day}T00:00:00Z`;

/** What a range must be before anybody is asked for it. */
export function rangeProblem(from: string, to: string, now: number): 'missing' | 'order' | 'future' | null {
  if (!from) return 'missing';
  if (Date.parse(startOf(from)) >= now) return 'future';
  return to && Date.parse(startOf(to)) <= Date.parse(startOf(from)) ? 'order' : null;
}

/** Asks the providers for a range, as a job. */
export function FetchForm({ instrument, onDone }: { instrument: string; onDone: () => void }) {
  const { t } = useTranslation();
  const instruments = useInstruments();
  const fetchable = instruments.filter((each) => each.venue !== 'SIM' && each.venue !== 'FILE');
  const [chosen, setChosen] = useState<string | null>(null);
  const [timeframe, setTimeframe] = useState('1h');
  const [from, setFrom] = useState(() => dayOf(Date.now() - 90 * DAY));
  const [to, setTo] = useState('');
  const start = useAction('fetch.start');
  const symbol = chosen ?? (fetchable.some((each) => each.id === instrument) ? instrument : (fetchable[0]?.id ?? ''));
  const problem = rangeProblem(from, to, Date.now());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (problem || !symbol || start.isPending) return;
    start.mutate(
      { instrument: symbol, timeframe, from: startOf(from), ...(to ? { to: startOf(to) } : {}) },
      {
        onSuccess: onDone,
        onError: (error) => toast({ tone: 'crit', title: t('coverage.fetchFailed'), detail: error.message }),
      },
    );
  };
  if (fetchable.length === 0) return <p className="px-2.5 py-2 text-t2">{t('coverage.noProvider')}</p>;
  return (
    <form onSubmit={submit} aria-label={t('coverage.fetch')} className="flex flex-wrap items-end gap-2 px-2.5 py-2">
      <Field label={t('data.symbol')} className="w-44">
        {(props) => (
          <Select {...props} value={symbol} onChange={(event) => setChosen(event.target.value)}>
            {fetchable.map((each) => (
              <option key={each.id} value={each.id}>
                {each.id}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label={t('chart.timeframe')} className="w-20">
        {(props) => (
          <Select {...props} value={timeframe} onChange={(event) => setTimeframe(event.target.value)}>
            {TIMEFRAMES.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </Select>
        )}
      </Field>
      <Field label={t('coverage.from')} className="w-36" error={problem ? t(`coverage.problem.${problem}`) : undefined}>
        {(props) => <Input {...props} type="date" value={from} onChange={(event) => setFrom(event.target.value)} />}
      </Field>
      <Field label={t('coverage.to')} hint={t('coverage.nowWithout')} className="w-36">
        {(props) => <Input {...props} type="date" value={to} onChange={(event) => setTo(event.target.value)} />}
      </Field>
      <Button type="submit" variant="solid" disabled={problem !== null || start.isPending}>
        {t('coverage.fetch')}
      </Button>
    </form>
  );
}
