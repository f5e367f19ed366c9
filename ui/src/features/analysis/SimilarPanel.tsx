import { History } from 'lucide-react';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { SimilarMoment } from '@/bindings';
import { type Column, Grid } from '@/kit/Grid';
import { EmptyState, ErrorState, Skeleton } from '@/kit/states';
import * as fmt from '@/lib/format';
import { type Group, useLinks } from '@/lib/links';
import { useEachClose } from '@/transport/closes';
import { useCommand } from '@/transport/hooks';
import { symbolOf } from '@/transport/instruments';
import { FanChart, percent } from './FanChart';
import { fanOf } from './fan';
import { Outcomes } from './Outcomes';
import { SubjectLine } from './SubjectLine';
import { useSubject } from './useSubject';

const PAST = 40;

/** Moments of the past like the present one, and how it went on after them. */
export function SimilarPanel({ group }: { group: Group }) {
  const { t } = useTranslation();
  const { id, timeframe, instrument } = useSubject(group);
  const query = useCommand('similar.search', { instrument: id, timeframe }, { staleTime: 60_000 });
  useEachClose(id, timeframe, query);
  const result = query.data;
  const candles = useCommand(
    'candles.get',
    { instrument: id, timeframe, limit: PAST + 2 },
    { enabled: result !== undefined, staleTime: 0 },
  ).data?.candles;
  const shape = useMemo(() => {
    if (!result) return null;
    const until = Date.parse(result.at);
    const closes = (candles ?? []).filter((candle) => Date.parse(candle.open_time) <= until);
    return fanOf(
      result,
      closes.slice(-PAST).map((candle) => Number(candle.close)),
    );
  }, [result, candles]);
  const jumpTo = useLinks((s) => s.jumpTo);

  if (query.error && !result)
    return (
      <ErrorState
        message={query.error.message}
        code={query.error.code}
        retryLabel={t('action.retry')}
        copyLabel={t('action.copyDetails')}
        onRetry={() => void query.refetch()}
      />
    );
  if (!result || !shape) return <Skeleton label={t('state.loading')} rows={8} />;
  if (result.moments.length === 0)
    return (
      <EmptyState icon={<History />} title={t('similar.empty')}>
        {t('similar.emptyText')}
      </EmptyState>
    );
  const horizons = result.outcomes.map((outcome) => outcome.horizon);
  const go = (moment: SimilarMoment) =>
    jumpTo(group, Date.parse(moment.open_time) / 1000, t('similar.marker', { share: fmt.percent(moment.likeness) }));
  const columns: Column<SimilarMoment>[] = [
    {
      id: 'time',
      head: t('similar.when'),
      width: 'minmax(126px, 1.4fr)',
      cell: (row) => fmt.dateMinutes(row.open_time),
    },
    {
      id: 'likeness',
      head: t('similar.likeness'),
      width: '64px',
      numeric: true,
      cell: (row) => fmt.percent(row.likeness, 1),
    },
    ...horizons.map(
      (horizon, i): Column<SimilarMoment> => ({
        id: `after-${horizon}`,
        head: `+${horizon}`,
        width: 'minmax(46px, 1fr)',
        numeric: true,
        cell: (row) => percent(row.returns[i] ?? Number.NaN, 1),
        className: (row) => fmt.toneClass(fmt.direction(String(row.returns[i] ?? 0))),
      }),
    ),
  ];
  return (
    <div className="flex h-full flex-col">
      <SubjectLine
        symbol={instrument?.symbol ?? symbolOf(id)}
        timeframe={timeframe}
        at={result.at}
        failed={query.error?.message}
      >
        {t('similar.searched', {
          count: result.moments.length,
          searched: fmt.integer(result.searched),
          from: fmt.dateOnly(result.searched_from),
        })}
      </SubjectLine>
      <div className="h-[38%] min-h-36 shrink-0 px-1 pt-1">
        <FanChart
          shape={shape}
          close={Number(result.close)}
          decimals={instrument?.price_decimals ?? 2}
          horizons={horizons}
        />
      </div>
      <Outcomes outcomes={result.outcomes} />
      <p className="border-t border-line px-2.5 py-1.5 text-xs text-t3 selectable">{result.note}</p>
      <div className="min-h-24 flex-1 border-t border-line">
        <Grid
          label={t('similar.table')}
          columns={columns}
          rows={result.moments}
          keyOf={(row) => row.open_time}
          onSelect={go}
          onActivate={go}
        />
      </div>
    </div>
  );
}
