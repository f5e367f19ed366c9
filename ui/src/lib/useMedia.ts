import { useSyncExternalStore } from 'react';

/** Whether a media query holds, followed. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (on) => {
      const list = matchMedia(query);
      list.addEventListener('change', on);
      return () => list.removeEventListener('change', on);
    },
    () => matchMedia(query).matches,
  );
}
