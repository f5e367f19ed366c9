import { useQueryClient } from '@tanstack/react-query';
import {
  type DockviewApi,
  DockviewReact,
  type DockviewReadyEvent,
  type IDockviewPanelProps,
  type SerializedDockview,
} from 'dockview-react';
import {
  type FunctionComponent,
  type KeyboardEvent,
  memo,
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
} from 'react';
import { useTranslation } from 'react-i18next';
import type { JsonValue, Workspace } from '@/bindings';
import { Button } from '@/kit/Button';
import { toast } from '@/kit/toasts';
import { useUi, type WorkspaceName } from '@/lib/ui';
import { useTransport } from '@/transport/hooks';
import { type Transport, TransportError } from '@/transport/Transport';
import { LeftActions, RightActions } from './HeadActions';
import { buildDefault } from './layouts';
import { PanelFrame } from './PanelFrame';
import { PANELS } from './panels';
import { Tab } from './Tab';

const SCHEMA_VERSION = 1;
const SAVE_AFTER_MS = 500;
const UNDO_STEPS = 20;
const LAYOUT_WAIT_MS = 150;
/** One object for ever: another one, even an equal one, makes the dock measure and lay out every panel again. */
const THEME = { name: 'candlewick', className: 'cw-dock', gap: 4 };

interface StoredLayout {
  schema_version: number;
  dock: SerializedDockview;
}

let early: { name: WorkspaceName; answer: Promise<Workspace> } | null = null;

/** Asks for a layout before there is a dock to show it in. */
export function prefetchLayout(transport: Transport, name: WorkspaceName): void {
  const answer = transport.call('workspaces.get', { name });
  // Whoever shows it handles the failure.
  answer.catch(() => {});
  early = { name, answer };
}

function savedLayout(transport: Transport, name: WorkspaceName): Promise<Workspace> {
  const answer = early?.name === name ? early.answer : transport.call('workspaces.get', { name });
  early = null;
  return answer;
}

function readLayout(stored: unknown): SerializedDockview | null {
  const value = stored as Partial<StoredLayout> | null;
  if (!value || typeof value !== 'object' || value.schema_version !== SCHEMA_VERSION) return null;
  const dock = value.dock;
  if (!dock || typeof dock !== 'object' || !dock.grid || !dock.panels) return null;
  for (const panel of Object.values(dock.panels)) if (!PANELS[panel.contentComponent ?? '']) return null;
  return dock;
}

const components: Record<string, FunctionComponent<IDockviewPanelProps>> = Object.fromEntries(
  Object.entries(PANELS).map(([kind, Panel]) => [
    kind,
    function DockPanel(props: IDockviewPanelProps) {
      return <PanelFrame kind={kind} panel={props} Panel={Panel} />;
    },
  ]),
);

/** Brings a panel to the front, or adds it. */
function show(api: DockviewApi, kind: string): void {
  if (!PANELS[kind]) return;
  const open = api.panels.find((panel) => panel.api.component === kind);
  if (open) {
    open.api.setActive();
    open.focus?.();
  } else api.addPanel({ id: kind, component: kind, title: kind, params: {} });
}

function Watermark() {
  const { t } = useTranslation();
  return (
    <div className="flex h-full flex-col items-center justify-center gap-2 text-t2">
      <p className="font-medium text-t1">{t('workspace.empty')}</p>
      <p>{t('workspace.emptyText')}</p>
      <Button size="sm" onClick={() => useUi.getState().resetLayout()}>
        {t('workspace.resetLayout')}
      </Button>
    </div>
  );
}

/** One workspace: its layout comes from the engine and goes back there half a second after a change. */
export const Dock = memo(function Dock({ name, fresh }: { name: WorkspaceName; fresh: boolean }) {
  const { t } = useTranslation();
  const transport = useTransport();
  const queries = useQueryClient();
  const dock = useRef<DockviewApi | null>(null);
  const reveal = useUi((s) => s.reveal);
  const seenReveal = useRef(reveal.nonce);
  const undoNonce = useUi((s) => s.undoNonce);
  const tableNonce = useUi((s) => s.tableNonce);
  const seen = useRef({ undo: undoNonce, table: tableNonce });
  const past = useRef<SerializedDockview[]>([]);
  const leave = useRef(() => {});
  /** A panel that was asked for before the layout came: it is shown in it. */
  const wanted = useRef<{ kind: string | null; built: boolean }>({ kind: null, built: false });
  // Before the dock takes its panels apart: what is not saved yet, and nothing after it.
  useLayoutEffect(() => () => leave.current(), []);

  const onReady = useCallback(
    ({ api }: DockviewReadyEvent) => {
      dock.current = api;
      let touched = false;
      let timer: ReturnType<typeof setTimeout> | undefined;

      const save = () => {
        const layout: StoredLayout = { schema_version: SCHEMA_VERSION, dock: api.toJSON() };
        queries.setQueryData(['workspace', name], layout);
        if (JSON.stringify(past.current.at(-1)) !== JSON.stringify(layout.dock))
          past.current = [...past.current, layout.dock].slice(-UNDO_STEPS - 1);
        transport.call('workspaces.save', { name, layout: layout as unknown as JsonValue }).catch((cause) => {
          const error = TransportError.from(cause);
          if (error.code !== 'offline')
            toast({ tone: 'warn', cause: 'layout', title: t('workspace.saveFailed'), detail: error.message });
        });
      };
      const watch = () => {
        past.current = [api.toJSON()];
        const saveLater = () => {
          timer = undefined;
          save();
        };
        const changes = api.onDidLayoutChange(() => {
          touched = true;
          clearTimeout(timer);
          timer = setTimeout(saveLater, SAVE_AFTER_MS);
        });
        leave.current = () => {
          changes.dispose();
          clearTimeout(timer);
          if (timer !== undefined) save();
        };
        api.onDidActivePanelChange((event) => useUi.getState().setActivePanel(event?.panel?.id ?? null));
      };
      const restore = (stored: unknown): boolean => {
        const layout = readLayout(stored);
        if (!layout) return false;
        try {
          api.fromJSON(layout);
          if (api.panels.length > 0) return true;
        } catch {
          // As bad as one without panels.
        }
        api.clear();
        return false;
      };

      const built = () => {
        wanted.current.built = true;
        if (wanted.current.kind) show(api, wanted.current.kind);
      };
      const standard = () => {
        buildDefault(api, name);
        built();
      };

      const known = queries.getQueryData(['workspace', name]);
      if (fresh) {
        standard();
        save();
        requestAnimationFrame(watch);
        return;
      }
      if (known && restore(known)) {
        built();
        requestAnimationFrame(watch);
        return;
      }
      // The saved layout arrives in a few milliseconds, and drawing two layouts costs more than waiting for it. When it
      // does not, the default is on the screen, and the saved one replaces it while nobody has moved anything.
      const waited = setTimeout(standard, LAYOUT_WAIT_MS);
      savedLayout(transport, name)
        .finally(() => clearTimeout(waited))
        .then((saved) => {
          if (touched) return;
          if (!saved.layout) {
            if (api.panels.length === 0) standard();
          } else if (restore(saved.layout)) built();
          else {
            standard();
            toast({
              tone: 'warn',
              cause: `layout-${name}`,
              title: t('workspace.broken', { name: t(`workspace.${name}`) }),
              detail: t('workspace.brokenText'),
              stays: null,
            });
          }
        })
        .catch(() => {
          // Never saved, or the engine is not there.
          if (api.panels.length === 0) standard();
        })
        .finally(() => {
          wanted.current.kind = null;
          requestAnimationFrame(watch);
        });
    },
    [name, fresh, queries, transport, t],
  );

  useEffect(() => {
    if (reveal.nonce === seenReveal.current) return;
    seenReveal.current = reveal.nonce;
    const api = dock.current;
    if (api && wanted.current.built) show(api, reveal.kind);
    else wanted.current.kind = reveal.kind;
  }, [reveal]);

  useEffect(() => {
    const api = dock.current;
    if (!api || undoNonce === seen.current.undo) return;
    seen.current.undo = undoNonce;
    past.current.pop();
    const before = past.current.at(-1);
    if (before) api.fromJSON(before);
  }, [undoNonce]);

  useEffect(() => {
    const api = dock.current;
    if (!api || tableNonce === seen.current.table) return;
    seen.current.table = tableNonce;
    const charts = api.panels.filter((panel) => panel.api.component === 'chart');
    const chart = charts.find((panel) => panel === api.activePanel) ?? charts[0];
    chart?.api.updateParameters({ table: chart.api.getParameters<{ table?: boolean }>().table !== true });
  }, [tableNonce]);

  const picker = useUi((s) => s.picker);
  useEffect(() => {
    const api = dock.current;
    if (!api || !picker || picker.panel !== null) return;
    const charts = api.panels.filter(
      (panel) => panel.api.component === 'chart' && !panel.api.getParameters<{ compact?: boolean }>().compact,
    );
    const chart =
      charts.find((panel) => panel === api.activePanel) ??
      charts[0] ??
      api.addPanel({ id: 'chart', component: 'chart', title: 'chart', params: {} });
    chart.api.setActive();
    // Its head, which holds the picker, is drawn after this.
    requestAnimationFrame(() => useUi.getState().pickIndicators(chart.id, picker.study));
  }, [picker]);

  const onTabKey = (event: KeyboardEvent) => {
    const id =
      event.target instanceof HTMLElement && event.target.role === 'tab' ? event.target.dataset.tabPanelId : undefined;
    if (event.key !== 'Delete' || !id) return;
    event.preventDefault();
    dock.current?.getPanel(id)?.api.close();
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the tabs inside, which dockview makes
    <div className="h-full" onKeyDown={onTabKey}>
      <DockviewReact
        theme={THEME}
        components={components}
        defaultTabComponent={Tab}
        leftHeaderActionsComponent={LeftActions}
        rightHeaderActionsComponent={RightActions}
        watermarkComponent={Watermark}
        onReady={onReady}
        announcements
        scrollbars="native"
      />
    </div>
  );
});
