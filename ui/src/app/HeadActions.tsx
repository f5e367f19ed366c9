import type { IDockviewHeaderActionsProps } from 'dockview-react';
import { ChevronDown, Ellipsis, Maximize2 } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { ChartTools } from '@/features/charts/ChartTools';
import { chartParams } from '@/features/charts/chart.params';
import { IconButton } from '@/kit/Button';
import { Menu, type MenuItem } from '@/kit/Menu';
import * as fmt from '@/lib/format';
import { GROUPS, type Group, useLinks } from '@/lib/links';
import { useInstruments } from '@/transport/instruments';
import { useQuoteBook } from '@/transport/live';
import { GroupChip } from './GroupChip';
import { LINKED } from './panels';
import { usePanelParams } from './usePanelParams';

function useActive({ activePanel }: IDockviewHeaderActionsProps) {
  const params = usePanelParams(activePanel?.api, activePanel?.params ?? {});
  return { panel: activePanel, kind: activePanel?.api.component ?? '', params };
}

export function LeftActions(props: IDockviewHeaderActionsProps) {
  const { panel, kind, params } = useActive(props);
  if (!panel || kind !== 'chart') return null;
  const { compact, group } = chartParams(params);
  return (
    <>
      <SymbolMenu group={group} />
      {compact ? null : (
        <ChartTools panelId={panel.id} params={params} setParams={(change) => panel.api.updateParameters(change)} />
      )}
    </>
  );
}

export function RightActions(props: IDockviewHeaderActionsProps) {
  const { t } = useTranslation();
  const { panel, kind, params } = useActive(props);
  if (!panel) return null;
  const chart = kind === 'chart' ? chartParams(params) : null;
  const group = (chart?.group ?? params.group ?? 'A') as Group;
  const toggleMaximized = () => (panel.api.isMaximized() ? panel.api.exitMaximized() : panel.api.maximize());
  const items: MenuItem[] = [
    { id: 'maximize', label: t('panel.maximize'), run: toggleMaximized },
    { id: 'float', label: t('panel.float'), run: () => props.containerApi.addFloatingGroup(panel) },
    { id: 'close', label: t('panel.close'), keys: 'Delete', run: () => panel.api.close() },
  ];
  return (
    <div className="flex h-full items-center gap-0.5 pr-1">
      {chart?.compact ? <LastPrice group={group} /> : null}
      {LINKED.has(kind) ? (
        <Menu
          align="end"
          trigger={
            <button
              type="button"
              aria-label={t('panel.group', { group })}
              className={chart ? 'sr-only' : 'flex size-6 items-center justify-center rounded-sm hover:bg-bg3'}
            >
              <GroupChip group={group} />
            </button>
          }
          items={GROUPS.map((each) => ({
            id: each,
            label: t('panel.group', { group: each }),
            icon: <GroupChip group={each} />,
            checked: each === group,
            run: () => panel.api.updateParameters({ group: each }),
          }))}
        />
      ) : null}
      {chart ? (
        <IconButton label={t('panel.maximize')} onClick={toggleMaximized}>
          <Maximize2 />
        </IconButton>
      ) : null}
      <Menu
        align="end"
        trigger={
          <button
            type="button"
            aria-label={t('panel.menu')}
            className="flex size-6 items-center justify-center rounded-sm text-t2 hover:bg-bg3 hover:text-t1"
          >
            <Ellipsis className="size-3.5" />
          </button>
        }
        items={items}
      />
    </div>
  );
}

function SymbolMenu({ group }: { group: Group }) {
  const { t } = useTranslation();
  const instruments = useInstruments();
  const chosen = useLinks((s) => s.instrument[group]);
  const choose = useLinks((s) => s.choose);
  return (
    <Menu
      trigger={
        <button
          type="button"
          aria-label={t('panel.chooseSymbol', { group })}
          className="flex size-6 items-center justify-center rounded-sm text-t2 hover:bg-bg3 hover:text-t1"
        >
          <ChevronDown className="size-3.5" />
        </button>
      }
      items={instruments.map((each) => ({
        id: each.id,
        label: each.symbol,
        detail: each.name,
        checked: each.id === chosen,
        run: () => choose(group, each.id),
      }))}
    />
  );
}

/** Price and day change in the head of a small chart; painted by the quote book. */
function LastPrice({ group }: { group: Group }) {
  const id = useLinks((s) => s.instrument[group]);
  const instruments = useInstruments();
  const book = useQuoteBook();
  const box = useRef<HTMLSpanElement>(null);
  const decimals = instruments.find((each) => each.id === id)?.price_decimals ?? 2;
  useEffect(() => {
    // Another symbol's price is none of this one's, which may have none.
    if (box.current) box.current.textContent = '';
    return book.watch(id, (quote) => {
      if (!box.current) return;
      box.current.textContent = `${fmt.price(quote.last, decimals)}  ${fmt.percentChange(quote.change_24h)}%`;
      box.current.className = `live mr-1 whitespace-pre text-md ${fmt.toneClass(fmt.direction(quote.change_24h))}`;
    });
  }, [book, id, decimals]);
  return <span ref={box} />;
}
