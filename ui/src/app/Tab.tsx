import type { IDockviewPanelHeaderProps } from 'dockview-react';
import { type RefObject, useLayoutEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { chartParams, timeframeLabel } from '@/features/charts/chart.params';
import { Count } from '@/kit/Chip';
import { useLinks } from '@/lib/links';
import { useInstrument } from '@/transport/instruments';
import { GroupChip } from './GroupChip';
import { usePanelParams } from './usePanelParams';
import { useTabCount } from './useTabCount';

/** Our own tab: no button inside `role=tab`. Closed by Delete, by its menu or by the middle mouse button. */
export function Tab(props: IDockviewPanelHeaderProps) {
  const kind = props.api.component;
  return (
    <div onAuxClick={(event) => event.button === 1 && props.api.close()} className="flex h-full items-center">
      {kind === 'chart' ? <ChartTitle {...props} /> : <PlainTitle api={props.api} kind={kind} />}
    </div>
  );
}

/**
 * The title names the panel in dockview's own lists. On the tab itself the name is what the tab shows (its count too), so
 * the label dockview puts there, which would hide that, goes.
 */
function useTitle(api: IDockviewPanelHeaderProps['api'], title: string): RefObject<HTMLSpanElement | null> {
  const body = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    if (api.title !== title) api.setTitle(title);
    const unlabel = () => body.current?.closest('[role=tab]')?.removeAttribute('aria-label');
    unlabel();
    const watch = api.onDidTitleChange(unlabel);
    return () => watch.dispose();
  }, [api, title]);
  return body;
}

function PlainTitle({ api, kind }: { api: IDockviewPanelHeaderProps['api']; kind: string }) {
  const { t } = useTranslation();
  const count = useTabCount(kind);
  const title = t(`panel.${kind}` as 'panel.chart');
  const body = useTitle(api, title);
  return (
    <span ref={body} className="cw-tab flex h-full items-center gap-1.5 px-2.5">
      {title}
      {count === null ? null : <Count>{count}</Count>}
    </span>
  );
}

function ChartTitle({ api, params: initial }: IDockviewPanelHeaderProps) {
  const params = chartParams(usePanelParams(api, initial));
  const instrumentId = useLinks((s) => s.instrument[params.group]);
  const instrument = useInstrument(instrumentId);
  const { t } = useTranslation();
  const symbol = instrument?.symbol ?? instrumentId;
  const timeframe = timeframeLabel(params.timeframe);
  const body = useTitle(api, `${symbol} ${timeframe} ${t('chart.role')}`);
  return (
    <span ref={body} className="flex h-full items-center gap-1.5 pl-2.5">
      <GroupChip group={params.group} />
      <span className="text-md font-semibold text-t1">{instrument?.symbol ?? instrumentId}</span>
      <span className="text-t2">{params.compact ? timeframeLabel(params.timeframe) : instrument?.venue}</span>
    </span>
  );
}
