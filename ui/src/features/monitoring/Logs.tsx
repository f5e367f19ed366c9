import { ScrollText } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/kit/Button';
import { cx } from '@/kit/cx';
import { type Column, Grid } from '@/kit/Grid';
import { Segments } from '@/kit/Segments';
import { EmptyState, ErrorState, Skeleton } from '@/kit/states';
import * as fmt from '@/lib/format';
import { useLive } from '@/transport/live';
import type { LogLine } from '@/transport/types';

const ORDER = ['trace', 'debug', 'info', 'warn', 'error'];
const TONES: Record<string, string> = { warn: 'text-warn', error: 'text-crit' };

interface Row extends LogLine {
  key: string;
  repeats: number;
}

/** What was said, with its fields behind it. */
function sentence(line: LogLine): string {
  const fields = Object.entries(line.fields).map(([name, value]) => `${name}=${value}`);
  return [line.message, ...fields].join('  ');
}

/** Neighbours with the same words become one line with a count; newest first. */
export function groupRepeats(lines: readonly LogLine[]): Row[] {
  const rows: Row[] = [];
  for (const line of lines) {
    const last = rows.at(-1);
    if (last && sentence(last) === sentence(line) && last.component === line.component && last.level === line.level) {
      last.repeats += 1;
      last.time = line.time;
    } else rows.push({ ...line, repeats: 1, key: `${line.time} ${rows.length}` });
  }
  return rows.reverse();
}

/** The engine's log: level, words or `component:name`, repeats counted, follow on or off. */
export function Logs() {
  const { t } = useTranslation();
  const { data, error } = useLive('logs', {});
  const [level, setLevel] = useState<'all' | 'warn' | 'error'>('all');
  const [filter, setFilter] = useState('');
  const [paused, setPaused] = useState<LogLine[] | null>(null);
  const rows = useMemo(() => {
    const least = level === 'all' ? 0 : ORDER.indexOf(level);
    const component = /component:(\S+)/.exec(filter)?.[1]?.toLowerCase();
    const words = filter
      .replace(/component:\S+/, '')
      .trim()
      .toLowerCase();
    return groupRepeats(
      (paused ?? data ?? []).filter(
        (line) =>
          ORDER.indexOf(line.level.toLowerCase()) >= least &&
          (!component || line.component.toLowerCase().includes(component)) &&
          (!words || sentence(line).toLowerCase().includes(words)),
      ),
    );
  }, [data, paused, level, filter]);
  if (error && !data)
    return (
      <ErrorState
        message={error.message}
        code={error.code}
        retryLabel={t('action.retry')}
        copyLabel={t('action.copyDetails')}
      />
    );
  if (!data) return <Skeleton label={t('state.loading')} rows={8} />;
  const columns: Column<Row>[] = [
    {
      id: 'time',
      head: t('chart.table.time'),
      width: '100px',
      cell: (row) => fmt.clockMillis(row.time),
      className: 'text-t3',
    },
    {
      id: 'level',
      head: t('logs.level'),
      width: '44px',
      cell: (row) => row.level.toUpperCase(),
      className: (row) => cx('text-2xs font-semibold', TONES[row.level.toLowerCase()] ?? 'text-t2'),
    },
    {
      id: 'component',
      head: t('logs.component'),
      width: '110px',
      cell: (row) => row.component,
      className: 'text-accent',
    },
    {
      id: 'text',
      head: t('logs.text'),
      width: 'minmax(200px, 1fr)',
      cell: (row) => <span title={sentence(row)}>{sentence(row)}</span>,
      className: 'selectable',
    },
    {
      id: 'repeats',
      head: '',
      width: '40px',
      numeric: true,
      cell: (row) => (row.repeats > 1 ? `×${row.repeats}` : ''),
      className: 'text-t2',
    },
  ];
  return (
    <div className="flex h-full flex-col">
      <div className="flex h-8 shrink-0 items-center gap-2 border-b border-line px-2.5">
        <Segments
          label={t('logs.level')}
          value={level}
          onChange={setLevel}
          options={[
            { value: 'all', label: t('logs.all') },
            { value: 'warn', label: t('logs.warn') },
            { value: 'error', label: t('logs.error') },
          ]}
        />
        <input
          aria-label={t('logs.filter')}
          placeholder={t('logs.filter')}
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
          className="h-6 w-60 rounded-sm border border-ctl bg-bg0 px-2 selectable"
        />
        <span className="flex-1" />
        <Button
          size="sm"
          variant="ghost"
          aria-pressed={paused === null}
          onClick={() => setPaused(paused ? null : data)}
        >
          {t(paused ? 'logs.paused' : 'logs.following')}
        </Button>
        <Button
          size="sm"
          variant="ghost"
          onClick={() => void navigator.clipboard?.writeText(rows.map((row) => JSON.stringify(row)).join('\n'))}
        >
          {t('logs.copy')}
        </Button>
      </div>
      <div className="min-h-0 flex-1">
        {rows.length === 0 ? (
          <EmptyState icon={<ScrollText />} title={t('logs.empty')}>
            {t('logs.emptyText')}
          </EmptyState>
        ) : (
          <Grid mono label={t('panel.logs')} columns={columns} rows={rows} rowHeight={21} keyOf={(row) => row.key} />
        )}
      </div>
    </div>
  );
}
