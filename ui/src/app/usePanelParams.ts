import type { DockviewPanelApi } from 'dockview-react';
import { useEffect, useState } from 'react';

/** A panel's saved parameters, followed when something else (its head) changes them. */
export function usePanelParams(api: DockviewPanelApi | undefined, initial: Record<string, unknown>) {
  const [params, setParams] = useState(initial);
  useEffect(() => {
    if (!api) return;
    setParams(api.getParameters());
    const watch = api.onDidParametersChange((next) => setParams({ ...next }));
    return () => watch.dispose();
  }, [api]);
  return params;
}
