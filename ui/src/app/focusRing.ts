/** F6 and Shift+F6 go round the regions of the window: panels, top bar, status bar. */
export function moveFocus(by: 1 | -1): void {
  const stops = [...document.querySelectorAll<HTMLElement>('header, .dv-groupview section[data-kind], footer')].filter(
    (element) => element.offsetParent !== null,
  );
  if (stops.length === 0) return;
  const at = stops.findIndex((element) => element.contains(document.activeElement));
  const next = stops[(at + by + stops.length) % stops.length] ?? stops[0];
  const target = next?.querySelector<HTMLElement>(
    '[role=grid], [role=group][tabindex="0"], [role=combobox], input:not([disabled]), button:not([disabled]), [tabindex="0"]',
  );
  if (target) target.focus();
  else if (next) {
    next.tabIndex = -1;
    next.focus();
  }
}
