import type { Transport } from '@/transport/Transport';
import type { Account } from '@/transport/types';

/** What an action may use. Built by the app each time an action runs. */
export interface ActionContext {
  transport: Transport;
  account: Account | undefined;
  halted: boolean;
  halt(): void;
  /** Reports a failed command to the person. */
  fail(cause: unknown): void;
}

export type ActionGroup = 'workspace' | 'panel' | 'chart' | 'trading' | 'automation' | 'appearance' | 'help';

/** One thing a person can do. Palette, shortcuts, menus and the shortcut list are all read from these. */
export interface UserAction {
  id: string;
  /** Key of its title in the texts. */
  title: string;
  group: ActionGroup;
  /** `Ctrl+K`, `Alt+1`, `Shift+F6`, `?`; on a Mac, Ctrl is also Cmd. */
  keys?: string;
  /** A single letter or sign works only when no field has the focus. */
  danger?: boolean;
  /** Key of the words on what it leads to, shown next to risky actions. */
  consequence?: string;
  when?: (context: ActionContext) => boolean;
  run: (context: ActionContext) => void;
}

/** Throws on what would make a menu or a shortcut ambiguous. */
export function checkActions(actions: readonly UserAction[]): void {
  const ids = new Set<string>();
  const keys = new Map<string, string>();
  for (const action of actions) {
    if (!action.title) throw new Error(`${action.id} has no title`);
    if (ids.has(action.id)) throw new Error(`two actions are called ${action.id}`);
    ids.add(action.id);
    if (!action.keys) continue;
    const chord = normalChord(action.keys);
    const other = keys.get(chord);
    if (other) throw new Error(`${action.id} and ${other} share ${action.keys}`);
    keys.set(chord, action.id);
  }
}

const MODIFIERS = ['ctrl', 'alt', 'shift'];

/** Modifiers in a fixed order, the key in lower case. */
export function normalChord(keys: string): string {
  const parts = keys.toLowerCase().split('+').filter(Boolean);
  const key = parts.filter((part) => !MODIFIERS.includes(part)).at(-1) ?? '+';
  return [...MODIFIERS.filter((m) => parts.includes(m)), key].join('+');
}

/** The chord of a key press. A sign that needs Shift (like `?`) is itself and not Shift plus something. */
export function chordOf(
  event: Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>,
): string {
  const digit = /^Digit(\d)$/.exec(event.code)?.[1];
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1];
  const plain = (event.altKey || event.ctrlKey) && (digit ?? letter) ? (digit ?? letter ?? '') : event.key;
  const sign = plain.length === 1 && !/[a-z0-9]/i.test(plain);
  return normalChord(
    [
      event.ctrlKey || event.metaKey ? 'ctrl' : '',
      event.altKey ? 'alt' : '',
      event.shiftKey && !sign ? 'shift' : '',
      plain === ' ' ? 'space' : plain,
    ]
      .filter(Boolean)
      .join('+'),
  );
}
