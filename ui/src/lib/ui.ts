import { create } from 'zustand';
import type { OrderArgs, OrderPreview, Position } from '@/transport/types';

/** What lies over the workspace. One at a time. */
export type Overlay =
  | { kind: 'palette'; query: string }
  | { kind: 'shortcuts' }
  | { kind: 'about' }
  | { kind: 'review'; order: OrderArgs; preview: OrderPreview }
  | { kind: 'explain'; id: string; title: string }
  | { kind: 'close-position'; position: Position }
  | { kind: 'close-all'; positions: Position[] }
  | { kind: 'halt-options' }
  | { kind: 'resume' };

export const WORKSPACES = ['trade', 'research', 'automate', 'monitor'] as const;
export type WorkspaceName = (typeof WORKSPACES)[number];

interface Ui {
  workspace: WorkspaceName;
  overlay: Overlay | null;
  /** Counts up to ask the dock to show a panel of a kind. */
  reveal: { kind: string; nonce: number };
  /** Panel that had the last interaction, for commands that act on "the chart". */
  activePanel: string | null;
  open(overlay: Overlay): void;
  close(): void;
  go(workspace: WorkspaceName): void;
  show(kind: string): void;
  setActivePanel(id: string | null): void;
  resetNonce: number;
  undoNonce: number;
  tableNonce: number;
  /** The chart whose indicators are being chosen, at one of its studies or at the search; a `null` chart is any. */
  picker: { panel: string | null; study: number | null } | null;
  undoLayout(): void;
  toggleChartTable(): void;
  resetLayout(): void;
  pickIndicators(panel?: string | null, study?: number | null): void;
  closePicker(): void;
}

export const useUi = create<Ui>((set) => ({
  workspace: 'trade',
  overlay: null,
  reveal: { kind: '', nonce: 0 },
  activePanel: null,
  resetNonce: 0,
  undoNonce: 0,
  tableNonce: 0,
  picker: null,
  undoLayout: () => set((s) => ({ undoNonce: s.undoNonce + 1 })),
  toggleChartTable: () => set((s) => ({ tableNonce: s.tableNonce + 1 })),
  open: (overlay) => set({ overlay }),
  close: () => set({ overlay: null }),
  go: (workspace) => set({ workspace, overlay: null, picker: null }),
  show: (kind) => set((s) => ({ reveal: { kind, nonce: s.reveal.nonce + 1 } })),
  setActivePanel: (activePanel) => set({ activePanel }),
  pickIndicators: (panel = null, study = null) => set({ picker: { panel, study } }),
  closePicker: () => set({ picker: null }),
  resetLayout: () => set((s) => ({ resetNonce: s.resetNonce + 1 })),
}));
