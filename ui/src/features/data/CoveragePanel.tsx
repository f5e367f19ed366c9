import { Database, Download, Search, Upload } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Coverage } from '@/bindings';
import { Button, IconButton } from '@/kit/Button';
import { type Column, Grid } from '@/kit/Grid';
import { EmptyState } from '@/kit/states';
import { toast } from '@/kit/toasts';
import { Answered } from '@/lib/Answered';
import * as fmt from '@/lib/format';
import { type Group, useLinks } from '@/lib/links';
import { useCommand, useTransport } from '@/transport/hooks';
import { TransportError } from '@/transport/Transport';
import { CoverageBar } from './CoverageBar';
import { providersOf } from './coverage';
import { FetchForm } from './FetchForm';
import { FetchJobs } from './FetchJobs';
import { ImportForm } from './ImportForm';

type Form = 'fetch' | 'import' | null;

/** What is stored of which market, what is missing, and the ways to get more. */
export function CoveragePanel({ group }: { group: Group }) {
  const { t } = useTranslation();
  const linked = useLinks((s) => s.instrument[group]);
  const query = useCommand('data.coverage', {}, { refetchInterval: 10_000 });
  const [words, setWords] = useState('');
  const [form, setForm] = useState<Form>(null);
  const again = () => void query.refetch();
  return (
    <div className="flex h-full flex-col">
      <div className="flex h-8 shrink-0 items-center gap-2 border-b border-line px-2.5">
        <Search aria-hidden className="size-3.5 text-t3" />
        <input
          aria-label={t('coverage.filter')}
          placeholder={t('coverage.filter')}
          value={words}
          onChange={(event) => setWords(event.target.value)}
          className="h-6 w-52 rounded-sm border border-ctl bg-bg0 px-2 selectable"
        />
        <span className="flex-1" />
        {(['fetch', 'import'] as const).map((each) => (
          <Button
            key={each}
            size="sm"
            variant="ghost"
            aria-expanded={form === each}
            aria-pressed={form === each}
            onClick={() => setForm(form === each ? null : each)}
          >
            {each === 'fetch' ? (
              <Download aria-hidden className="size-3.5" />
            ) : (
              <Upload aria-hidden className="size-3.5" />
            )}
            {t(`coverage.${each}`)}
          </Button>
        ))}
      </div>
      {form ? (
        <div className="shrink-0 border-b border-line bg-bg2">
          {form === 'fetch' ? <FetchForm instrument={linked} onDone={again} /> : <ImportForm onDone={again} />}
        </div>
      ) : null}
      <FetchJobs />
      <div className="min-h-0 flex-1">
        <Answered query={query}>
          {({ coverage }) => <Series rows={matching(coverage, words)} onFetch={() => setForm('fetch')} />}
        </Answered>
      </div>
    </div>
  );
}

/** Every word is part of the instrument or the timeframe. */
export function matching(rows: readonly Coverage[], words: string): Coverage[] {
  const parts = words.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => parts.every((part) => `${row.instrument} ${row.timeframe}`.toLowerCase().includes(part)));
}

function Series({ rows, onFetch }: { rows: Coverage[]; onFetch: () => void }) {
  const { t } = useTranslation();
  const { active, choose } = useLinks();
  const download = useExport();
  if (rows.length === 0)
    return (
      <EmptyState icon={<Database />} title={t('coverage.empty')} action={{ label: t('coverage.fetch'), run: onFetch }}>
        {t('coverage.emptyText')}
      </EmptyState>
    );
  const columns: Column<Coverage>[] = [
    {
      id: 'instrument',
      head: t('data.symbol'),
      width: 'minmax(96px, 0.9fr)',
      cell: (r) => r.instrument,
      className: 'font-medium',
    },
    { id: 'timeframe', head: t('chart.timeframe'), width: '64px', cell: (r) => r.timeframe },
    {
      id: 'provider',
      head: t('honesty.provider'),
      width: 'minmax(72px, 0.6fr)',
      cell: (r) => providersOf(r).join(', ') || t('coverage.file'),
      className: 'text-t2',
    },
    {
      id: 'bar',
      head: t('coverage.covered'),
      width: 'minmax(160px, 2.4fr)',
      cell: (r) => <CoverageBar coverage={r} />,
    },
    { id: 'first', head: t('data.from'), width: '84px', cell: (r) => fmt.dateOnly(r.first), className: 'text-t2' },
    { id: 'last', head: t('honesty.to'), width: '84px', cell: (r) => fmt.dateOnly(r.last), className: 'text-t2' },
    { id: 'candles', head: t('honesty.candles'), width: '72px', numeric: true, cell: (r) => fmt.integer(r.candles) },
    {
      id: 'gaps',
      head: t('coverage.gaps'),
      width: '44px',
      numeric: true,
      cell: (r) => fmt.integer(r.gap_count),
      className: (r) => (r.gap_count > 0 ? 'text-warn' : 'text-t2'),
    },
    {
      id: 'export',
      head: '',
      width: '28px',
      cell: (r) =>
        download ? (
          <IconButton
            label={t('coverage.export', { series: `${r.instrument} ${r.timeframe}` })}
            onClick={() => void download(r)}
          >
            <Download />
          </IconButton>
        ) : null,
    },
  ];
  return (
    <Grid
      label={t('panel.coverage')}
      columns={columns}
      rows={rows}
      keyOf={(r) => `${r.instrument} ${r.timeframe}`}
      onActivate={(r) => choose(active, r.instrument)}
    />
  );
}

/** Saves a series as a file of the browser; the window has no way to write files, there the command line does it. */
function useExport(): ((row: Coverage) => Promise<void>) | null {
  const { t } = useTranslation();
  const transport = useTransport();
  if (transport.host === 'tauri') return null;
  return async ({ instrument, timeframe }) => {
    try {
      const bytes = await transport.callBinary('data.export', { instrument, timeframe }, { timeoutMs: 120_000 });
      const url = URL.createObjectURL(new Blob([bytes], { type: 'text/csv' }));
      const link = document.createElement('a');
      link.href = url;
      link.download = `${instrument.replaceAll('/', '-')}_${timeframe}.csv`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (cause) {
      toast({ tone: 'crit', title: t('coverage.exportFailed'), detail: TransportError.from(cause).message });
    }
  };
}
