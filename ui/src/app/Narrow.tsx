import { CandlestickChart, LayoutList, SquarePen, SquareTerminal, WalletCards } from 'lucide-react';
import { Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Skeleton } from '@/kit/states';
import { PANELS } from './panels';

const TABS = [
  { kind: 'watchlist', icon: LayoutList },
  { kind: 'chart', icon: CandlestickChart },
  { kind: 'ticket', icon: SquarePen },
  { kind: 'positions', icon: WalletCards },
  { kind: 'console', icon: SquareTerminal },
] as const;
const START = { chart: { group: 'A', timeframe: '15m', studies: ['ema(21)'], compact: true } } as Record<
  string,
  Record<string, unknown>
>;

/** Under 900 px: one panel at a time, chosen at the bottom. */
export function Narrow() {
  const { t } = useTranslation();
  const [kind, setKind] = useState<string>('chart');
  const [params, setParams] = useState(START);
  const Panel = PANELS[kind];
  return (
    <div className="flex h-full flex-col gap-1">
      <section
        aria-label={t(`panel.${kind}` as 'panel.chart')}
        data-kind={kind}
        className="min-h-0 flex-1 overflow-hidden rounded-md border border-line bg-bg1"
      >
        <Suspense fallback={<Skeleton label={t('state.loading')} />}>
          {Panel ? (
            <Panel
              key={kind}
              panelId={`narrow-${kind}`}
              params={params[kind] ?? {}}
              setParams={(change) => setParams({ ...params, [kind]: { ...params[kind], ...change } })}
            />
          ) : null}
        </Suspense>
      </section>
      <nav aria-label={t('panel.choose')} className="grid shrink-0 grid-cols-5 rounded-md border border-line bg-bg1">
        {TABS.map(({ kind: each, icon: Icon }) => (
          <button
            key={each}
            type="button"
            aria-current={each === kind ? 'page' : undefined}
            onClick={() => setKind(each)}
            className="flex h-12 flex-col items-center justify-center gap-0.5 text-xs text-t2 aria-[current]:text-accent"
          >
            <Icon aria-hidden className="size-4" />
            {t(`panel.${each}`)}
          </button>
        ))}
      </nav>
    </div>
  );
}
