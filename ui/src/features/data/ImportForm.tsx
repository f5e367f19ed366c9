import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/kit/Button';
import { Field, Input, Select } from '@/kit/Field';
import * as fmt from '@/lib/format';
import { useAction } from '@/transport/hooks';
import { TIMEFRAMES } from './FetchForm';

/** Reads a file that lies on the engine's machine, and says what became of its lines. */
export function ImportForm({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const [file, setFile] = useState('');
  const [instrument, setInstrument] = useState('');
  const [timeframe, setTimeframe] = useState('');
  const run = useAction('data.import');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!file || !instrument || run.isPending) return;
    run.mutate({ file, instrument, ...(timeframe ? { timeframe } : {}) }, { onSuccess: onDone });
  };
  const { data: report, error } = run;
  return (
    <form onSubmit={submit} aria-label={t('coverage.import')} className="flex flex-wrap items-end gap-2 px-2.5 py-2">
      <Field label={t('coverage.path')} hint={t('coverage.pathHint')} className="w-80">
        {(props) => <Input {...props} className="font-mono" value={file} onChange={(e) => setFile(e.target.value)} />}
      </Field>
      <Field label={t('data.symbol')} className="w-36">
        {(props) => (
          <Input
            {...props}
            placeholder="AAPL.FILE"
            value={instrument}
            onChange={(event) => setInstrument(event.target.value.toUpperCase())}
          />
        )}
      </Field>
      <Field label={t('chart.timeframe')} className="w-24">
        {(props) => (
          <Select {...props} value={timeframe} onChange={(event) => setTimeframe(event.target.value)}>
            <option value="">{t('coverage.fromFile')}</option>
            {TIMEFRAMES.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </Select>
        )}
      </Field>
      <Button type="submit" variant="solid" disabled={!file || !instrument || run.isPending}>
        {t(run.isPending ? 'coverage.importing' : 'coverage.import')}
      </Button>
      <p role="status" className={`w-full ${error ? 'text-crit' : 'text-t2'}`}>
        {error
          ? error.message
          : report
            ? t('coverage.imported', {
                accepted: fmt.integer(report.accepted),
                rejected: fmt.integer(report.rejected_count),
                duplicates: fmt.integer(report.duplicates),
              })
            : ''}
      </p>
    </form>
  );
}
