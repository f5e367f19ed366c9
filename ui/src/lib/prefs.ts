import { create } from 'zustand';

export type Theme = 'dark' | 'light';
export type Palette = 'default' | 'blue-orange';
export interface Prefs {
  theme: Theme;
  palette: Palette;
  language: 'en' | 'en-XA';
  /** Steps of the first-run checklist that are done, or `dismissed`. */
  onboarding: string[];
}

const KEY = 'candlewick.prefs';
const DEFAULTS: Prefs = { theme: 'dark', palette: 'default', language: 'en', onboarding: [] };

function load(): Prefs {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Prefs>;
    return {
      theme: stored.theme === 'light' ? 'light' : 'dark',
      palette: stored.palette === 'blue-orange' ? 'blue-orange' : 'default',
      language: stored.language === 'en-XA' ? 'en-XA' : 'en',
      onboarding: Array.isArray(stored.onboarding) ? stored.onboarding.filter((s) => typeof s === 'string') : [],
    };
  } catch {
    return DEFAULTS;
  }
}

interface PrefsStore extends Prefs {
  set(change: Partial<Prefs>): void;
}

/** How this screen looks. Kept by the page so that the first paint already has the right theme. */
export const usePrefs = create<PrefsStore>((set, get) => ({
  ...load(),
  set(change) {
    set(change);
    const { theme, palette, language, onboarding } = get();
    try {
      localStorage.setItem(KEY, JSON.stringify({ theme, palette, language, onboarding }));
    } catch {
      // A browser may refuse storage; the choice then lives as long as the page.
    }
    applyPrefs();
  },
}));

export function applyPrefs(): void {
  const { theme, palette } = usePrefs.getState();
  document.documentElement.dataset.theme = theme;
  document.documentElement.dataset.palette = palette;
  tokens.clear();
}

/** Read from the document once for each theme: a chart asks for its colours with every tick. */
const tokens = new Map<string, string>();

/** A colour token as text, for canvases. */
export function token(name: string): string {
  let value = tokens.get(name);
  if (value === undefined) {
    value = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
    tokens.set(name, value);
  }
  return value;
}
