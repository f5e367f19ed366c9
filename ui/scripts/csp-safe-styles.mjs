/**
 * The page runs under `style-src 'self'`: a <style> element made by a library at run time is refused and reported.
 * lightweight-charts makes one for its attribution logo. This removes that element and leaves the logo itself;
 * `src/styles/index.css` carries the same rules.
 */
export function cspSafeStyles() {
  const appended = /,?(this\.[\w$]+)=document\.createElement\("style"\),\1\.innerText="a#tv-attr-logo\{[^"]*"/;
  return {
    name: 'csp-safe-styles',
    enforce: 'pre',
    transform(code, id) {
      if (!id.includes('lightweight-charts.production') && !id.includes('lightweight-charts.development')) return null;
      const found = appended.exec(code);
      if (!found) {
        if (id.includes('production'))
          this.error('the attribution logo of lightweight-charts changed: look at csp-safe-styles');
        return null;
      }
      return { code: code.replace(appended, `,${found[1]}=document.createElement("template")`), map: null };
    },
  };
}
