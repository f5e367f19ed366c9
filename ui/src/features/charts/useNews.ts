import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { NewsItem } from '@/bindings';
import * as fmt from '@/lib/format';
import { token } from '@/lib/prefs';
import { useCommand } from '@/transport/hooks';
import { timeframeSeconds } from './controller';
import { NO_NOTES, type Notes } from './layers';
import type { ChartMarker } from './port';

const MOST = 100;
const AGAIN_MS = 60_000;
/** Headlines that a tip has room for. */
const TOLD = 5;

/** What was published in the time of each candle, oldest candle first. */
export function byCandle(items: readonly NewsItem[], step: number): Map<number, NewsItem[]> {
  const candles = new Map<number, NewsItem[]>();
  for (const item of [...items].sort((a, b) => Date.parse(a.published_at) - Date.parse(b.published_at))) {
    const open = Math.floor(Date.parse(item.published_at) / 1000 / step) * step;
    candles.set(open, [...(candles.get(open) ?? []), item]);
  }
  return candles;
}

/** Flags where something about the instrument was published, and what they say when pointed at. */
export function useNews(
  instrument: string,
  timeframe: string,
  enabled: boolean,
  theme: string,
): { flags: readonly ChartMarker[]; notes: Notes } {
  const { t } = useTranslation();
  const query = useCommand(
    'news.list',
    { symbol: instrument, limit: MOST },
    { enabled, staleTime: AGAIN_MS, refetchInterval: AGAIN_MS },
  );
  const items = enabled ? query.data?.items : undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `theme` decides what the colour tokens are
  return useMemo(() => {
    if (!items || items.length === 0) return NOTHING;
    const candles = [...byCandle(items, timeframeSeconds(timeframe))];
    return {
      flags: candles.map(
        ([time, told]): ChartMarker => ({
          id: `news/${time}`,
          time,
          kind: 'flag',
          text: told.length > 1 ? String(told.length) : 'N',
          color: token('accent'),
        }),
      ),
      notes: new Map(
        candles.map(([time, told]) => [
          `news/${time}`,
          {
            title: t('layers.newsTitle', { count: told.length }),
            lines: told
              .slice(0, TOLD)
              .map(({ headline, source, published_at }) => `${fmt.clockMinutes(published_at)} ${source}: ${headline}`),
          },
        ]),
      ),
    };
  }, [items, timeframe, theme, t]);
}
const NOTHING = { flags: [] as readonly ChartMarker[], notes: NO_NOTES };
