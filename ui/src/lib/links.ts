import { create } from 'zustand';

export const GROUPS = ['A', 'B', 'C', 'D', 'E', 'F'] as const;
export type Group = (typeof GROUPS)[number];

interface Links {
  /** The instrument every panel of a group shows. */
  instrument: Record<Group, string>;
  /** The timeframe of a group's large chart: what panels beside it analyse. */
  timeframe: Record<Group, string>;
  /** A moment the charts of a group should show. */
  jump: { group: Group; seconds: number; label: string; nonce: number } | null;
  /** The group the last used panel belongs to: where the palette and the ticket act. */
  active: Group;
  choose(group: Group, instrument: string): void;
  activate(group: Group): void;
  setTimeframe(group: Group, timeframe: string): void;
  jumpTo(group: Group, seconds: number, label: string): void;
}

const DEFAULT_TIMEFRAME = '15m';

export const useLinks = create<Links>((set) => ({
  instrument: {
    A: 'BTC-PERP.SIM',
    B: 'ETH-PERP.SIM',
    C: 'AAPL.SIM',
    D: 'EUR/USD.SIM',
    E: 'XAU/USD.SIM',
    F: 'SOL-PERP.SIM',
  },
  timeframe: Object.fromEntries(GROUPS.map((group) => [group, DEFAULT_TIMEFRAME])) as Record<Group, string>,
  jump: null,
  active: 'A',
  choose: (group, instrument) => set((s) => ({ instrument: { ...s.instrument, [group]: instrument } })),
  activate: (active) => set({ active }),
  setTimeframe: (group, timeframe) => set((s) => ({ timeframe: { ...s.timeframe, [group]: timeframe } })),
  jumpTo: (group, seconds, label) => set((s) => ({ jump: { group, seconds, label, nonce: (s.jump?.nonce ?? 0) + 1 } })),
}));
