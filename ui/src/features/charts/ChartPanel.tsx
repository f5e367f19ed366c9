import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { RightClick } from '@/kit/Menu';
import { EmptyState, ErrorState } from '@/kit/states';
import { useDraft } from '@/lib/draft';
import { useLinks } from '@/lib/links';
import { usePrefs } from '@/lib/prefs';
import { useUi } from '@/lib/ui';
import { useCommand, useTransport } from '@/transport/hooks';
import { useInstrument, venueOf } from '@/transport/instruments';
import { useLive } from '@/transport/live';
import type { Decision, Fill } from '@/transport/types';
import { ChartLegend } from './ChartLegend';
import { ChartSummary } from './ChartSummary';
import { ChartTable } from './ChartTable';
import { type ChartParams, chartParams, isTimed } from './chart.params';
import { ChartController, type Phase } from './controller';
import { HonestyStrip } from './HonestyStrip';
import { LineTags } from './LineTags';
import { NO_LAYERS } from './layers';
import { LightweightChart } from './lwc';
import { MarkTip } from './MarkTip';
import { useOrderLines } from './orderLines';
import { useStudies } from './picker/useStudies';
import type { Plan } from './port';
import { planFor, setOf } from './studies';
import { TimeframeBox } from './TimeframeBox';
import { useBroken } from './useBroken';
import { useJump } from './useJump';
import { useMarkers } from './useMarkers';
import { useNews } from './useNews';
import { usePatterns } from './usePatterns';
import { useStructure } from './useStructure';

const NO_FILLS: Fill[] = [];
/** Marks with nothing behind them to open: they say what they are when pointed at. */
const SILENT = /^(jump|pattern|level|shape|trend|regime|news)\//;
const NO_DECISIONS: Decision[] = [];

export function ChartPanel({
  panelId,
  params: raw,
  setParams,
}: {
  panelId: string;
  params: unknown;
  setParams: (change: Partial<ChartParams>) => void;
}) {
  const [typed, setTyped] = useState<string | null>(null);
  const { t } = useTranslation();
  // By value: the dock gives new objects with the same content at every turn, and a new plan draws everything again.
  const stored = JSON.stringify(chartParams(raw));
  const params = useMemo(() => JSON.parse(stored) as ChartParams, [stored]);
  const { compact } = params;
  const transport = useTransport();
  const instrumentId = useLinks((s) => s.instrument[params.group]);
  const instrument = useInstrument(instrumentId);
  const indicators = useCommand('indicators.list', {}, { staleTime: Number.POSITIVE_INFINITY }).data?.indicators;
  const { theme, palette } = usePrefs();
  const host = useRef<HTMLDivElement>(null);
  const [chart, setChart] = useState<ChartController | null>(null);
  const [phase, setPhase] = useState<Phase>({ state: 'loading' });
  const [merged, setMerged] = useState(1);
  const [plan, setPlan] = useState<Plan | null>(null);
  const rightClickPrice = useRef<number | null>(null);
  const open = useUi((s) => s.open);
  const { studies, panes } = params;
  const broken = useBroken(studies, phase);
  const set = setOf(studies.filter((study) => !broken.has(study.text)));

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const controller = new ChartController(transport, new LightweightChart(element, compact));
    controller.onPhase = setPhase;
    controller.onLevel = setMerged;
    controller.onPlan = setPlan;
    setChart(controller);
    const visible = new IntersectionObserver(([entry]) => controller.setHidden(!entry?.isIntersecting));
    visible.observe(element);
    return () => {
      visible.disconnect();
      controller.dispose();
      setChart(null);
    };
  }, [transport, compact]);

  useEffect(() => {
    if (!chart) return;
    chart.planFor = (names, decimals) => planFor(names, studies, decimals, indicators ?? [], { compact, panes });
    if (!chart.open({ instrument: instrumentId, timeframe: params.timeframe, set })) chart.replan();
  }, [chart, instrumentId, params.timeframe, set, studies, panes, compact, indicators]);

  useEffect(() => {
    chart?.port.onPanes((weights) => setParams({ panes: weights }));
  }, [chart, setParams]);
  const actions = useStudies(studies, setParams);
  const pickIndicators = useUi((s) => s.pickIndicators);

  // biome-ignore lint/correctness/useExhaustiveDependencies: colours are read from the document when the theme changes
  useEffect(() => {
    chart?.port.retheme();
    chart?.replan();
  }, [chart, theme, palette]);

  const fills = useLive('fills', compact ? null : {}).data ?? NO_FILLS;
  const decisions = useLive('decisions', compact ? null : {}).data ?? NO_DECISIONS;
  const jump = useJump(chart, compact ? null : params.group, params.timeframe);
  const timed = isTimed(params.timeframe);
  const layers = useMemo(() => {
    if (compact) return NO_LAYERS;
    // Patterns and structure are read from candles by the clock.
    return timed ? params.layers : { ...NO_LAYERS, news: params.layers.news };
  }, [compact, timed, params.layers]);
  const news = useNews(instrumentId, params.timeframe, layers.news, theme);
  const others = useMemo(() => [...jump, ...news.flags], [jump, news.flags]);
  useMarkers(chart, instrumentId, fills, decisions, others, theme);
  const patternNotes = usePatterns(chart, instrumentId, params.timeframe, layers, theme);
  const decimals = instrument?.price_decimals ?? 2;
  const structureNotes = useStructure(chart, instrumentId, params.timeframe, layers, decimals, theme);
  const notes = useMemo(
    () => new Map([...patternNotes, ...structureNotes, ...news.notes]),
    [patternNotes, structureNotes, news.notes],
  );
  const lines = useOrderLines(chart, compact ? null : instrumentId, theme);

  useEffect(() => {
    chart?.port.onMarkerClick((id) => {
      if (!SILENT.test(id)) open({ kind: 'explain', id, title: id });
    });
  }, [chart, open]);

  const begin = useDraft((s) => s.begin);
  const menu = useMemo(() => {
    const draft = (side: 'buy' | 'sell', type: 'limit' | 'stop') => () => {
      const price = rightClickPrice.current;
      if (price === null || !instrument) return;
      const text = toTick(price, instrument.tick_size, instrument.price_decimals);
      begin(instrument.id, { side, type, ...(type === 'limit' ? { price: text } : { stop: text }) });
      useUi.getState().show('ticket');
    };
    return [
      { id: 'buy-limit', label: t('chart.menu.buyLimit'), run: draft('buy', 'limit') },
      { id: 'sell-limit', label: t('chart.menu.sellLimit'), run: draft('sell', 'limit') },
      { id: 's1', separator: true as const },
      { id: 'buy-stop', label: t('chart.menu.buyStop'), run: draft('buy', 'stop') },
      { id: 'sell-stop', label: t('chart.menu.sellStop'), run: draft('sell', 'stop') },
      { id: 's2', separator: true as const },
      {
        id: 'copy',
        label: t('chart.menu.copyPrice'),
        run: () => void navigator.clipboard?.writeText(String(rightClickPrice.current ?? '')),
      },
      { id: 'newest', label: t('chart.menu.newest'), keys: 'End', run: () => chart?.showNewest() },
    ];
  }, [t, begin, instrument, chart]);

  const onKeyDown = useCallback(
    (event: KeyboardEvent) => {
      if (!chart || event.target !== event.currentTarget || event.ctrlKey || event.altKey || event.metaKey) return;
      const visible = chart.port.visible();
      const span = visible ? visible.to - visible.from : 0;
      const zoom = (factor: number) => visible && chart.port.show({ from: visible.to - span * factor, to: visible.to });
      const pan = (by: number) =>
        visible && chart.port.show({ from: visible.from + span * by, to: visible.to + span * by });
      const actions: Record<string, () => void> = {
        ArrowLeft: () => chart.step(-1),
        ArrowRight: () => chart.step(1),
        PageUp: () => void pan(-0.5),
        PageDown: () => void pan(0.5),
        End: () => chart.showNewest(),
        '+': () => void zoom(0.8),
        '-': () => void zoom(1.25),
      };
      if (/^\d$/.test(event.key)) {
        event.preventDefault();
        setTyped(event.key);
        return;
      }
      if (/^[a-z]$/i.test(event.key)) {
        event.preventDefault();
        open({ kind: 'palette', query: `@${event.key}` });
        return;
      }
      const run = actions[event.key];
      if (run) {
        event.preventDefault();
        run();
      }
    },
    [chart, open],
  );

  const title = `${instrument?.symbol ?? instrumentId} ${params.timeframe}`;
  return (
    <div className="flex h-full flex-col" data-panel={panelId}>
      <RightClick items={compact ? menu.slice(-1) : menu}>
        <div
          role="group"
          aria-roledescription={t('chart.role')}
          aria-label={t('chart.label', { title })}
          tabIndex={0}
          onKeyDown={onKeyDown}
          onContextMenu={(event) => {
            const box = event.currentTarget.getBoundingClientRect();
            rightClickPrice.current = chart?.port.priceAt(event.clientY - box.top) ?? null;
          }}
          className="relative min-h-0 flex-1 overflow-hidden"
        >
          <div ref={host} aria-hidden className="absolute inset-0 isolate" />
          {phase.state === 'loading' ? (
            // Covers what is drawn: those are the candles of another symbol.
            <div role="status" aria-label={t('state.loading')} className="absolute inset-0 bg-bg1 p-3">
              <div className="skeleton h-3 w-40" />
              <Waiting key={instrumentId} venue={venueOf(instrumentId)} />
            </div>
          ) : null}
          {phase.state === 'empty' ? (
            <div className="absolute inset-0 bg-bg1">
              <EmptyState title={t('chart.empty')}>{t('chart.emptyText')}</EmptyState>
            </div>
          ) : null}
          {phase.state === 'error' && phase.error.field !== 'set' ? (
            <div className="absolute inset-0 bg-bg1">
              <ErrorState
                message={phase.error.message}
                code={phase.error.code}
                retryLabel={t('action.retry')}
                copyLabel={t('action.copyDetails')}
                onRetry={() => chart?.retry()}
              />
            </div>
          ) : null}
          {chart && phase.state === 'ready' ? (
            <>
              {compact ? null : (
                <ChartLegend
                  chart={chart}
                  instrument={instrument}
                  plan={plan}
                  broken={broken}
                  merged={merged}
                  onEdit={(study) => pickIndicators(panelId, study)}
                  actions={actions}
                />
              )}
              {compact ? null : <LineTags chart={chart} lines={lines} decimals={decimals} />}
              {compact ? null : <MarkTip chart={chart} notes={notes} />}
              <ChartSummary chart={chart} title={title} decimals={decimals} />
            </>
          ) : null}
          {typed === null ? null : (
            <TimeframeBox
              text={typed}
              onText={setTyped}
              onDone={(timeframe) => {
                if (timeframe) setParams({ timeframe });
                setTyped(null);
              }}
            />
          )}
          {params.table && chart ? <ChartTable chart={chart} title={title} decimals={decimals} /> : null}
        </div>
      </RightClick>
      {chart ? (
        <HonestyStrip
          chart={chart}
          instrument={instrumentId}
          timeframe={params.timeframe}
          compact={compact}
          theme={theme}
        />
      ) : null}
    </div>
  );
}

/** Said when candles do not come at once: who is asked. */
function Waiting({ venue }: { venue: string }) {
  const { t } = useTranslation();
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 1_200);
    return () => clearTimeout(timer);
  }, []);
  return late ? <p className="mt-2 text-sm text-t2">{t('chart.waiting', { venue })}</p> : null;
}

/** The tick nearest to where the pointer was. The pointer's own precision is a pixel, so a float is enough here. */
export function toTick(price: number, tick: string, decimals: number): string {
  const size = Number(tick);
  return (size > 0 ? Math.round(price / size) * size : price).toFixed(decimals);
}
