import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { AgeChip } from '@/kit/states';
import * as fmt from '@/lib/format';

/** The first line of an analysis: of what, as of which candle, and whether asking again failed. */
export function SubjectLine({
  symbol,
  timeframe,
  at,
  failed,
  children,
  actions,
}: {
  symbol: string;
  timeframe: string;
  at: string;
  failed?: string | undefined;
  children?: ReactNode;
  actions?: ReactNode;
}) {
  const { t } = useTranslation();
  return (
    <div className="flex min-h-7 shrink-0 items-center gap-2 border-b border-line px-2.5 text-xs">
      <span className="shrink-0 font-semibold text-t1">
        {symbol} {timeframe}
      </span>
      <span className="shrink-0 text-t2">{t('analysis.asOf', { time: fmt.dateMinutes(at) })}</span>
      {failed ? <AgeChip text={failed} /> : null}
      <span className="min-w-0 flex-1 truncate text-right text-t3">{children}</span>
      {actions}
    </div>
  );
}
