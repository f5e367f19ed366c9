import { describe, expect, it } from 'vitest';
import { i18next } from '@/i18n';
import { ACTIONS } from './actions';
import { checkActions, chordOf, normalChord, type UserAction } from './registry';

const action = (id: string, keys?: string): UserAction => ({
  id,
  title: 'top.halt',
  group: 'help',
  ...(keys ? { keys } : {}),
  run: () => {},
});

describe('actions', () => {
  it('refuses two with the same keys, the same id, or without a title', () => {
    expect(() => checkActions([action('a', 'Ctrl+Shift+K'), action('b', 'shift+ctrl+k')])).toThrow('share');
    expect(() => checkActions([action('a'), action('a')])).toThrow('called a');
    expect(() => checkActions([{ ...action('a'), title: '' }])).toThrow('title');
    expect(() => checkActions(ACTIONS)).not.toThrow();
  });

  it.each(ACTIONS.map((each) => [each.id, each] as const))('%s has texts', (_id, each) => {
    expect(i18next.exists(each.title)).toBe(true);
    if (each.consequence) expect(i18next.exists(each.consequence)).toBe(true);
  });

  it('says what every risky action leads to', () => {
    for (const each of ACTIONS) if (each.danger) expect(each.consequence, each.id).toBeTruthy();
  });

  it('keeps Ctrl+digit for the browser', () => {
    for (const each of ACTIONS) expect(each.keys ?? '').not.toMatch(/^Ctrl\+\d$/);
  });
});

describe('key presses', () => {
  const press = (key: string, code: string, held: Partial<KeyboardEvent> = {}) =>
    chordOf({ key, code, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...held });
  it.each([
    [press('k', 'KeyK', { ctrlKey: true }), 'Ctrl+K'],
    [press('k', 'KeyK', { metaKey: true }), 'Ctrl+K'],
    [press('?', 'Slash', { shiftKey: true }), '?'],
    [press('Backspace', 'Backspace', { ctrlKey: true, shiftKey: true }), 'Ctrl+Shift+Backspace'],
    [press('¡', 'Digit1', { altKey: true }), 'Alt+1'],
    [press('F6', 'F6', { shiftKey: true }), 'Shift+F6'],
  ])('%s is %s', (pressed, keys) => expect(pressed).toBe(normalChord(keys)));
});
