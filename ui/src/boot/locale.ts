/**
 * Runs before anything else. With `LANG=C` a WebKitGTK page has `navigator.language === "C"`, which is no language tag:
 * `Intl` throws on it, and a library that formats a date while its module loads takes the whole bundle down.
 * This module is the only source of a locale; `navigator.language(s)` are replaced when they are not usable.
 */
export function usableLocale(candidates: readonly (string | undefined | null)[]): string {
  for (const candidate of candidates) {
    if (!candidate) continue;
    try {
      const [tag] = Intl.getCanonicalLocales(candidate);
      // "C" canonicalises nowhere, "c" may: a language subtag has at least two letters.
      if (tag && /^[a-z]{2,3}(-|$)/i.test(tag)) return tag;
    } catch {
      // not a BCP 47 tag
    }
  }
  return 'en-US';
}

function install(): string {
  const chosen = usableLocale([navigator.language, ...(navigator.languages ?? [])]);
  if (navigator.language !== chosen) {
    Object.defineProperty(navigator, 'language', { configurable: true, get: () => chosen });
    Object.defineProperty(navigator, 'languages', { configurable: true, get: () => [chosen] });
  }
  return chosen;
}

/** BCP 47 tag every formatter uses. */
export const locale: string = install();
