import { create } from 'zustand';

export const GROUPS = ['A', 'B', 'C', 'D', 'E', 'F'] as const;
export type Group = (typeof GROUPS)[number];

interface Links {
  /** The instrument every panel of a group shows. */
  instrument: Record<Group, string>;
  /** The group the last used panel belongs to: where the palette and the ticket act. */
  active: Group;
  choose(group: Group, instrument: string): void;
  activate(group: Group): void;
}

export const useLinks = create<Links>((set) => ({
  instrument: {
    A: 'BTC-PERP.SIM',
    B: 'ETH-PERP.SIM',
    C: 'AAPL.SIM',
    D: 'EUR/USD.SIM',
    E: 'XAU/USD.SIM',
    F: 'SOL-PERP.SIM',
  },
  active: 'A',
  choose: (group, instrument) => set((s) => ({ instrument: { ...s.instrument, [group]: instrument } })),
  activate: (active) => set({ active }),
}));
