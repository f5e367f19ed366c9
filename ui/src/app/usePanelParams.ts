import type { DockviewPanelApi } from 'dockview-react';
import { useEffect, useState } from 'react';

type Parameters = Record<string, unknown>;

/** A panel's saved parameters, followed when something else (its head) changes them. */
export function usePanelParams(api: DockviewPanelApi | undefined, initial: Parameters): Parameters {
  const [changed, setChanged] = useState<{ api: DockviewPanelApi; params: Parameters } | null>(null);
  useEffect(() => {
    if (!api) return;
    const watch = api.onDidParametersChange((change) =>
      setChanged((old) => ({ api, params: { ...(old?.api === api ? old.params : {}), ...change } })),
    );
    return () => watch.dispose();
  }, [api]);
  return changed && changed.api === api ? { ...initial, ...changed.params } : initial;
}
