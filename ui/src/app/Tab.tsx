import type { IDockviewPanelHeaderProps } from 'dockview-react';
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
      {kind === 'chart' ? <ChartTitle {...props} /> : <PlainTitle kind={kind} />}
    </div>
  );
}

function PlainTitle({ kind }: { kind: string }) {
  const { t } = useTranslation();
  const count = useTabCount(kind);
  return (
    <span className="cw-tab flex h-full items-center gap-1.5 px-2.5">
      {t(`panel.${kind}` as 'panel.chart')}
      {count === null ? null : <Count>{count}</Count>}
    </span>
  );
}

function ChartTitle({ api, params: initial }: IDockviewPanelHeaderProps) {
  const params = chartParams(usePanelParams(api, initial));
  const instrumentId = useLinks((s) => s.instrument[params.group]);
  const instrument = useInstrument(instrumentId);
  return (
    <span className="flex h-full items-center gap-1.5 pl-2.5">
      <GroupChip group={params.group} />
      <span className="text-md font-semibold text-t1">{instrument?.symbol ?? instrumentId}</span>
      <span className="text-t2">{params.compact ? timeframeLabel(params.timeframe) : instrument?.venue}</span>
    </span>
  );
}
