import { useEffect, useRef } from 'react';
import { ACTIONS } from '@/commands/actions';
import { chordOf, normalChord } from '@/commands/registry';
import { useUi } from '@/lib/ui';
import { moveFocus } from './focusRing';
import { useActionContext } from './useActionContext';

const BY_CHORD = new Map(
  ACTIONS.flatMap((action) => (action.keys ? [[normalChord(action.keys), action] as const] : [])),
);

const typing = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** Shortcuts of all actions. Letters and signs alone work only outside of fields. */
export function useHotkeys(): void {
  const context = useActionContext();
  const current = useRef(context);
  current.current = context;
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      if (event.key === 'F6' && !useUi.getState().overlay) {
        event.preventDefault();
        moveFocus(event.shiftKey ? -1 : 1);
        return;
      }
      const action = BY_CHORD.get(chordOf(event));
      if (!action) return;
      const bare = !event.ctrlKey && !event.altKey && !event.metaKey;
      if (typing(event.target) && (bare || action.keys === 'Ctrl+Z')) return;
      if (useUi.getState().overlay && action.id !== 'risk.halt') return;
      if (action.when && !action.when(current.current)) return;
      event.preventDefault();
      action.run(current.current);
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);
}
