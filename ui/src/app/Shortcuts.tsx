import { useTranslation } from 'react-i18next';
import { ACTIONS } from '@/commands/actions';
import { Dialog } from '@/kit/Dialog';
import { Kbd } from '@/kit/Kbd';
import { useUi } from '@/lib/ui';

/** Every shortcut, read from the actions, and the keys that panels share. */
export function Shortcuts() {
  const { t } = useTranslation();
  const close = useUi((s) => s.close);
  const shared: [string, string][] = [
    ['F6', t('shortcut.nextPanel')],
    ['Shift+F6', t('shortcut.previousPanel')],
    ['↑+↓', t('shortcut.rows')],
    ['←+→', t('shortcut.candles')],
    ['Delete', t('panel.close')],
    ['Esc', t('shortcut.escape')],
  ];
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && close()}
      title={t('top.shortcuts')}
      closeLabel={t('action.close')}
      width="w-[520px]"
    >
      <ul className="grid grid-cols-1 gap-y-1">
        {ACTIONS.filter((action) => action.keys).map((action) => (
          <li key={action.id} className="flex h-6 items-center justify-between">
            {t(action.title as 'top.halt')} <Kbd keys={action.keys ?? ''} />
          </li>
        ))}
        {shared.map(([keys, text]) => (
          <li key={keys} className="flex h-6 items-center justify-between">
            {text} <Kbd keys={keys} />
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
