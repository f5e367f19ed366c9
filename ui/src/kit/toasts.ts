import { create } from 'zustand';

export interface ToastAction {
  label: string;
  run: () => void;
}
export interface ToastSpec {
  /** Toasts with the same cause show once, with a count. */
  cause?: string;
  tone: 'info' | 'ok' | 'warn' | 'crit';
  title: string;
  detail?: string;
  /** Milliseconds; `null` stays until it is read. */
  stays?: number | null;
  actions?: ToastAction[];
}
export interface ToastEntry extends ToastSpec {
  id: number;
  count: number;
}

let next = 1;
interface Toasts {
  entries: ToastEntry[];
  show(spec: ToastSpec): number;
  dismiss(id: number): void;
}

export const useToasts = create<Toasts>((set, get) => ({
  entries: [],
  show(spec) {
    const same = spec.cause ? get().entries.find((entry) => entry.cause === spec.cause) : undefined;
    const id = same?.id ?? next++;
    const entry: ToastEntry = { ...spec, id, count: (same?.count ?? 0) + 1 };
    set({ entries: [...get().entries.filter((each) => each.id !== id), entry].slice(-5) });
    const stays = spec.stays === undefined ? 6_000 : spec.stays;
    if (stays !== null) {
      const { count } = entry;
      setTimeout(() => {
        if (get().entries.find((each) => each.id === id)?.count === count) get().dismiss(id);
      }, stays);
    }
    return id;
  },
  dismiss: (id) => set({ entries: get().entries.filter((entry) => entry.id !== id) }),
}));

export const toast = (spec: ToastSpec) => useToasts.getState().show(spec);
