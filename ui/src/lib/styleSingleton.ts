import { useEffect } from 'react';

/**
 * Stands in for `react-style-singleton` (used by Radix's scroll lock): the same three exports, but the rules go into a
 * constructed style sheet, which `style-src 'self'` permits, instead of a `<style>` element, which it refuses.
 */
export function stylesheetSingleton() {
  let users = 0;
  let sheet: CSSStyleSheet | null = null;
  return {
    add(rules: string) {
      users += 1;
      if (users > 1 || typeof document.adoptedStyleSheets === 'undefined') return;
      sheet = new CSSStyleSheet();
      sheet.replaceSync(rules);
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    },
    remove() {
      users -= 1;
      if (users > 0 || !sheet) return;
      const gone = sheet;
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((each) => each !== gone);
      sheet = null;
    },
  };
}

// The package this stands in for makes hooks and components the same way; its callers do so once, at module level.
export function styleHookSingleton() {
  const sheet = stylesheetSingleton();
  return function useStyle(rules: string, dynamic?: boolean) {
    // biome-ignore lint/correctness/useExhaustiveDependencies: the original re-applies only when asked to (`dynamic`)
    useEffect(() => {
      sheet.add(rules);
      return () => sheet.remove();
    }, [rules && dynamic]);
  };
}

export function styleSingleton() {
  const useStyle = styleHookSingleton();
  return function Sheet({ styles, dynamic }: { styles: string; dynamic?: boolean }) {
    useStyle(styles, dynamic);
    return null;
  };
}
