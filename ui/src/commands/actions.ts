import { toast } from '@/kit/toasts';
import { useDraft } from '@/lib/draft';
import { useLinks } from '@/lib/links';
import { usePrefs } from '@/lib/prefs';
import { useUi, WORKSPACES } from '@/lib/ui';
import { checkActions, type UserAction } from './registry';

const show = (kind: string) => () => useUi.getState().show(kind);
const side = (value: 'buy' | 'sell') => () => {
  const links = useLinks.getState();
  const instrument = links.instrument[links.active];
  const draft = useDraft.getState();
  if (draft.instrument === instrument) draft.change({ side: value });
  else draft.begin(instrument, { side: value });
  useUi.getState().go('trade');
  requestAnimationFrame(() => useUi.getState().show('ticket'));
};
const openPanel = (kind: string): UserAction => ({
  id: `panel.${kind}`,
  title: `panel.${kind}`,
  group: 'panel',
  run: show(kind),
});

/** Everything a person can do, once. */
export const ACTIONS: readonly UserAction[] = [
  {
    id: 'palette.open',
    title: 'command.palette',
    group: 'help',
    keys: 'Ctrl+K',
    run: () => useUi.getState().open({ kind: 'palette', query: '' }),
  },
  {
    id: 'palette.symbols',
    title: 'command.symbols',
    group: 'help',
    keys: 'Ctrl+P',
    run: () => useUi.getState().open({ kind: 'palette', query: '@' }),
  },
  {
    id: 'help.shortcuts',
    title: 'top.shortcuts',
    group: 'help',
    keys: '?',
    run: () => useUi.getState().open({ kind: 'shortcuts' }),
  },
  { id: 'help.about', title: 'top.about', group: 'help', run: () => useUi.getState().open({ kind: 'about' }) },
  {
    id: 'help.checklist',
    title: 'top.checklist',
    group: 'help',
    run: () => usePrefs.getState().set({ onboarding: [] }),
  },
  ...WORKSPACES.map(
    (name, i): UserAction => ({
      id: `workspace.${name}`,
      title: `command.go.${name}`,
      group: 'workspace',
      keys: `Alt+${i + 1}`,
      run: () => useUi.getState().go(name),
    }),
  ),
  {
    id: 'workspace.reset',
    title: 'workspace.resetLayout',
    group: 'workspace',
    consequence: 'command.canBeUndone',
    run: () => useUi.getState().resetLayout(),
  },
  {
    id: 'layout.undo',
    title: 'command.undoLayout',
    group: 'workspace',
    keys: 'Ctrl+Z',
    run: () => useUi.getState().undoLayout(),
  },
  ...[
    'watchlist',
    'ticket',
    'depth',
    'tape',
    'positions',
    'orders',
    'fills',
    'decisions',
    'console',
    'logs',
    'backtest',
    'report',
    'editor',
    'strategies',
    'approvals',
    'limits',
    'narrative',
    'similar',
    'health',
    'connections',
    'coverage',
    'news',
    'jobs',
    'audit',
  ].map(openPanel),
  {
    id: 'chart.indicators',
    title: 'command.indicators',
    group: 'chart',
    keys: '/',
    run: () => useUi.getState().pickIndicators(),
  },
  {
    id: 'chart.table',
    title: 'chart.showTable',
    group: 'chart',
    keys: 'Alt+T',
    run: () => useUi.getState().toggleChartTable(),
  },
  {
    id: 'trade.buy',
    title: 'command.buy',
    group: 'trading',
    keys: 'Alt+B',
    consequence: 'command.opensTicket',
    run: side('buy'),
  },
  {
    id: 'trade.sell',
    title: 'command.sell',
    group: 'trading',
    keys: 'Alt+S',
    consequence: 'command.opensTicket',
    run: side('sell'),
  },
  {
    id: 'trade.cancelAll',
    title: 'command.cancelAll',
    group: 'trading',
    danger: true,
    consequence: 'command.cancelsResting',
    run: ({ transport, fail }) => {
      transport
        .call('orders.list', { open_only: true })
        .then(({ orders }) =>
          Promise.allSettled(orders.map((order) => transport.call('orders.cancel', { order_id: order.id }))),
        )
        .then((results) => {
          const refused = results.find((result) => result.status === 'rejected');
          if (refused) fail(refused.reason);
        })
        .catch(fail);
    },
  },
  {
    id: 'trade.closeAll',
    title: 'command.closeAll',
    group: 'trading',
    danger: true,
    consequence: 'command.asksFirst',
    run: ({ transport, fail }) => {
      transport
        .call('positions.list', {})
        .then(({ positions }) => useUi.getState().open({ kind: 'close-all', positions }))
        .catch(fail);
    },
  },
  {
    id: 'risk.halt',
    title: 'top.halt',
    group: 'trading',
    keys: 'Ctrl+Shift+Backspace',
    danger: true,
    consequence: 'command.stopsAtOnce',
    when: ({ halted }) => !halted,
    run: ({ halt }) => halt(),
  },
  {
    id: 'risk.resume',
    title: 'command.resume',
    group: 'trading',
    danger: true,
    consequence: 'command.asksReason',
    when: ({ halted }) => halted,
    run: () => useUi.getState().open({ kind: 'resume' }),
  },
  {
    id: 'risk.limits',
    title: 'command.limits',
    group: 'automation',
    run: () => {
      useUi.getState().go('automate');
      requestAnimationFrame(show('limits'));
    },
  },
  {
    id: 'journal.verify',
    title: 'command.verifyJournal',
    group: 'automation',
    run: ({ transport, fail }) => {
      transport
        .call('console.run', { line: 'journal verify' })
        .then(({ blocks }) => {
          const text = blocks
            .map((block) =>
              block.kind === 'text'
                ? block.text
                : JSON.stringify(
                    block.kind === 'table' ? block.rows : block.kind === 'json' ? block.value : block.error,
                  ),
            )
            .join('\n');
          toast({ tone: 'info', title: 'journal verify', detail: text.slice(0, 400) });
        })
        .catch(fail);
    },
  },
  {
    id: 'theme.toggle',
    title: 'command.theme',
    group: 'appearance',
    keys: 'Ctrl+Shift+L',
    run: () => {
      const { theme, set } = usePrefs.getState();
      set({ theme: theme === 'dark' ? 'light' : 'dark' });
    },
  },
  {
    id: 'theme.palette',
    title: 'command.paletteColours',
    group: 'appearance',
    run: () => {
      const { palette, set } = usePrefs.getState();
      set({ palette: palette === 'default' ? 'blue-orange' : 'default' });
    },
  },
];

checkActions(ACTIONS);
