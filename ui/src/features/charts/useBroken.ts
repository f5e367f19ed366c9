import { useEffect, useState } from 'react';
import { useTransport } from '@/transport/hooks';
import type { Phase } from './controller';
import type { Study } from './study';

const NONE: ReadonlyMap<string, string> = new Map();

/**
 * When the engine refuses a set of studies, which of them it means and why, so that the others are still drawn. A layout
 * may hold what another version of the engine computed.
 */
export function useBroken(studies: readonly Study[], phase: Phase): ReadonlyMap<string, string> {
  const transport = useTransport();
  const [broken, setBroken] = useState(NONE);
  const refusal = phase.state === 'error' && phase.error.field === 'set' ? phase.error : null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked once per refusal, about the studies of that moment
  useEffect(() => {
    if (!refusal) return;
    let current = true;
    const rest = studies.filter((study) => !broken.has(study.text));
    const check = async ({ text }: Study): Promise<[string, string][]> => {
      const { ok, error } = await transport.call('expressions.check', { text });
      return ok ? [] : [[text, error?.message ?? refusal.message]];
    };
    Promise.all(rest.map(check))
      .then((answers) => answers.flat())
      // Each is right by itself: they are too much together or ask for another timeframe. Then none is drawn.
      .then((found) => (found.length ? found : rest.map(({ text }): [string, string] => [text, refusal.message])))
      .then((found) => current && setBroken(new Map([...broken, ...found])))
      .catch(() => {});
    return () => {
      current = false;
    };
  }, [refusal, transport]);
  return broken;
}
