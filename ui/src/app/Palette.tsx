import { Command } from 'cmdk';
import {
  ArrowLeftRight,
  ChartCandlestick,
  CircleHelp,
  CornerDownLeft,
  LayoutGrid,
  PanelsTopLeft,
  Search,
  ShieldAlert,
  SquareTerminal,
  SunMoon,
  Workflow,
} from 'lucide-react';
import { Dialog } from 'radix-ui';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ACTIONS } from '@/commands/actions';
import type { ActionGroup, UserAction } from '@/commands/registry';
import { Kbd } from '@/kit/Kbd';
import { useLinks } from '@/lib/links';
import { useUi } from '@/lib/ui';
import { useCommand } from '@/transport/hooks';
import { useInstruments } from '@/transport/instruments';
import { PaletteSymbols } from './PaletteSymbols';
import { useActionContext } from './useActionContext';

const PREFIXES = { '>': 'commands', '@': 'symbols', ':': 'settings', '#': 'panels', '?': 'help' } as const;
type Scope = (typeof PREFIXES)[keyof typeof PREFIXES] | 'all';

/** What the first character narrows the list to, and the words after it. */
export function readQuery(text: string): { scope: Scope; words: string } {
  const scope = PREFIXES[text[0] as keyof typeof PREFIXES];
  return scope ? { scope, words: text.slice(1).trim() } : { scope: 'all', words: text };
}

const SCOPE_OF: Record<ActionGroup, Scope> = {
  workspace: 'panels',
  panel: 'panels',
  chart: 'commands',
  trading: 'commands',
  automation: 'commands',
  appearance: 'settings',
  help: 'help',
};
const ICON: Record<ActionGroup, typeof Search> = {
  workspace: LayoutGrid,
  panel: PanelsTopLeft,
  chart: ChartCandlestick,
  trading: ArrowLeftRight,
  automation: Workflow,
  appearance: SunMoon,
  help: CircleHelp,
};

const USED_KEY = 'candlewick.used';
function used(): Record<string, number> {
  try {
    return JSON.parse(localStorage.getItem(USED_KEY) ?? '{}') as Record<string, number>;
  } catch {
    return {};
  }
}
function remember(id: string): void {
  try {
    const counts = used();
    localStorage.setItem(USED_KEY, JSON.stringify({ ...counts, [id]: (counts[id] ?? 0) + 1 }));
  } catch {
    // Ranking by use is a convenience.
  }
}

const ROW =
  'flex h-8.5 items-center gap-2.5 px-4 text-md data-[selected=true]:bg-select data-[selected=true]:shadow-[inset_2px_0_0_var(--accent)] [&>svg]:size-3.5 [&>svg]:text-t2';
const GROUP =
  '[&_[cmdk-group-heading]]:px-4 [&_[cmdk-group-heading]]:pt-2.5 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-t2';

export function Palette({ initial }: { initial: string }) {
  const { t } = useTranslation();
  const [text, setText] = useState(initial);
  const context = useActionContext();
  const close = useUi((s) => s.close);
  const instruments = useInstruments();
  const { active, choose } = useLinks();
  const engine = useCommand('commands.list', {}, { staleTime: 60_000, retry: false }).data?.commands ?? [];
  const { scope, words } = readQuery(text);
  const counts = used();
  const title = (action: UserAction) => t(action.title as 'top.halt');

  const actions = ACTIONS.filter(
    (action) =>
      (scope === 'all' || SCOPE_OF[action.group] === scope || (scope === 'commands' && action.group !== 'panel')) &&
      (!action.when || action.when(context)),
  ).sort((a, b) => (counts[b.id] ?? 0) - (counts[a.id] ?? 0));
  const run = (action: UserAction) => {
    remember(action.id);
    close();
    action.run(context);
  };
  const item = (action: UserAction) => {
    const Icon = action.danger ? ShieldAlert : ICON[action.group];
    return (
      <Command.Item
        key={action.id}
        value={`${title(action)} ${action.id}`}
        onSelect={() => run(action)}
        className={ROW}
      >
        <Icon aria-hidden />
        <span className={action.danger ? 'text-crit' : ''}>{title(action)}</span>
        {action.consequence ? (
          <span className="text-xs text-t2">{t(action.consequence as 'command.asksFirst')}</span>
        ) : null}
        <span className="flex-1" />
        {action.keys ? <Kbd keys={action.keys} /> : null}
      </Command.Item>
    );
  };
  const panels = actions.filter((action) => action.group === 'panel' || action.group === 'workspace');
  const settings = actions.filter((action) => action.group === 'appearance' || action.group === 'help');
  const commands = actions.filter((action) => !panels.includes(action) && !settings.includes(action));

  return (
    <Dialog.Root open onOpenChange={(open) => !open && close()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-(--overlay)" />
        <Dialog.Content
          aria-describedby={undefined}
          className="pop fixed top-[140px] left-1/2 z-40 w-[680px] max-w-[96vw] -translate-x-1/2 overflow-hidden rounded-md border border-line bg-bg2 shadow-(--shadow)"
        >
          <Dialog.Title className="sr-only">{t('command.palette')}</Dialog.Title>
          <Command label={t('command.palette')} loop>
            <div className="flex h-12 items-center gap-3 border-b border-line px-4">
              <Search aria-hidden className="size-4 text-t2" />
              <PaletteInput text={text} onText={setText} label={t('top.search')} />
              <span className="shrink-0 text-xs text-t2">{t('palette.prefixes')}</span>
            </div>
            <Command.List className="max-h-[320px] overflow-auto pb-2">
              <Command.Empty className="px-4 py-6 text-t2">{t('palette.empty', { words })}</Command.Empty>
              {commands.length ? (
                <Command.Group heading={t('palette.commands')} className={GROUP}>
                  {commands.map(item)}
                </Command.Group>
              ) : null}
              {scope === 'all' || scope === 'symbols' ? (
                <PaletteSymbols
                  words={words}
                  heading={t('palette.symbols')}
                  className={{ row: ROW, group: GROUP }}
                  known={instruments}
                  onChoose={(instrument) => {
                    choose(active, instrument);
                    close();
                  }}
                />
              ) : null}
              {settings.length ? (
                <Command.Group heading={t('palette.settings')} className={GROUP}>
                  {settings.map(item)}
                </Command.Group>
              ) : null}
              {panels.length ? (
                <Command.Group heading={t('palette.panels')} className={GROUP}>
                  {panels.map(item)}
                </Command.Group>
              ) : null}
              {(scope === 'all' && words.length > 1) || scope === 'commands' || scope === 'help' ? (
                <Command.Group heading={t('palette.engine')} className={GROUP}>
                  {engine.map((each) => (
                    <Command.Item
                      key={each.name}
                      value={`${each.name.replace('.', ' ')} ${each.title}`}
                      onSelect={() => {
                        close();
                        useUi.getState().show('console');
                      }}
                      className={ROW}
                    >
                      <SquareTerminal aria-hidden />
                      <span className="font-mono text-sm">{each.name.replace('.', ' ')}</span>
                      <span className="truncate text-xs text-t2">{each.title}</span>
                      <span className="flex-1" />
                      {each.risk === 'high' ? (
                        <span className="text-xs text-warn">{t('command.asksFirst')}</span>
                      ) : null}
                    </Command.Item>
                  ))}
                </Command.Group>
              ) : null}
            </Command.List>
            <div className="flex h-8 items-center gap-5 border-t border-line px-4 text-xs text-t2">
              <span className="flex items-center gap-1.5">
                <Kbd keys="↑+↓" /> {t('palette.move')}
              </span>
              <span className="flex items-center gap-1.5">
                <CornerDownLeft aria-hidden className="size-3" /> {t('palette.run')}
              </span>
              <span className="flex items-center gap-1.5">
                <Kbd keys="Esc" /> {t('palette.close')}
              </span>
            </div>
          </Command>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** The field shows the prefix; the matching uses the words after it. */
function PaletteInput({ text, onText, label }: { text: string; onText: (text: string) => void; label: string }) {
  const { scope, words } = readQuery(text);
  const prefix = scope === 'all' ? '' : text.slice(0, text.length - text.slice(1).trimStart().length);
  return (
    <>
      {prefix ? <span className="font-mono text-accent">{prefix.trim()}</span> : null}
      <Command.Input
        autoFocus
        aria-label={label}
        value={words}
        // A prefix that is typed or pasted behind another takes its place.
        onValueChange={(next) =>
          onText(scope === 'all' || readQuery(next).scope !== 'all' ? next : `${text[0]}${next}`)
        }
        onKeyDown={(event) => {
          if (event.key === 'Backspace' && words === '' && scope !== 'all') onText('');
        }}
        className="h-full min-w-0 flex-1 bg-transparent text-lg outline-none selectable"
      />
    </>
  );
}
