import { Bell, ChevronDown, CircleX, Search, Settings } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { i18next } from '@/i18n';
import { Button } from '@/kit/Button';
import { cx } from '@/kit/cx';
import { Kbd } from '@/kit/Kbd';
import { Menu } from '@/kit/Menu';
import { Tip } from '@/kit/Tip';
import { useAccount } from '@/lib/account';
import * as fmt from '@/lib/format';
import { usePrefs } from '@/lib/prefs';
import { useUi, WORKSPACES } from '@/lib/ui';
import { Notifications } from './Notifications';
import { useHalt } from './useHalt';

export function TopBar() {
  const { t } = useTranslation();
  const account = useAccount();
  return (
    <header
      className={cx(
        'flex items-center gap-3 overflow-hidden border-b bg-bg1 px-3 whitespace-nowrap',
        account?.mode === 'live' ? 'border-b-2 border-crit' : 'border-line',
      )}
    >
      <div className="flex items-center gap-2.5 pr-3 text-lg font-semibold tracking-[-0.01em]">
        <svg aria-hidden="true" viewBox="0 0 16 16" className="size-4.5">
          <path d="M8 1v14" stroke="#c98f22" strokeWidth="1.6" strokeLinecap="round" />
          <rect x="4.2" y="4" width="7.6" height="8.4" rx="1.4" fill="#f2b33d" />
        </svg>
        <span className="max-[899px]:sr-only">{t('app.name')}</span>
      </div>
      <WorkspaceTabs />
      <div className="flex min-w-0 flex-1 justify-center">
        <button
          type="button"
          onClick={() => useUi.getState().open({ kind: 'palette', query: '' })}
          className="flex h-7 w-[340px] min-w-7 items-center gap-2 overflow-hidden rounded-sm border border-ctl bg-bg0 px-2.5 text-t2 hover:border-t3"
        >
          <Search aria-hidden className="size-3.5" />
          <span className="flex-1 truncate text-left">{t('top.search')}</span>
          <Kbd keys="Ctrl+K" />
        </button>
      </div>
      <ModeBadge />
      <AccountCard />
      <Notifications icon={<Bell className="size-4" />} />
      <SettingsMenu />
      <HaltButton />
    </header>
  );
}

function WorkspaceTabs() {
  const { t } = useTranslation();
  const { workspace, go } = useUi();
  return (
    <nav aria-label={t('workspace.nav')} className="flex h-full max-[899px]:hidden">
      {WORKSPACES.map((name, i) => (
        <Tip key={name} text={t(`workspace.${name}`)} shortcut={`Alt+${i + 1}`}>
          <button
            type="button"
            aria-current={name === workspace ? 'page' : undefined}
            onClick={() => go(name)}
            className="relative h-full px-3.5 text-md text-t2 hover:text-t1 aria-[current]:font-medium aria-[current]:text-t1 aria-[current]:after:absolute aria-[current]:after:inset-x-0 aria-[current]:after:bottom-[-1px] aria-[current]:after:h-0.5 aria-[current]:after:bg-accent"
          >
            {t(`workspace.${name}`)}
          </button>
        </Tip>
      ))}
    </nav>
  );
}

function ModeBadge() {
  const { t } = useTranslation();
  const account = useAccount();
  if (!account) return null;
  const look = account.simulated
    ? { text: t('top.simulated'), tone: 'border-warn text-warn bg-warn/10' }
    : account.mode === 'paper'
      ? { text: t('top.paper'), tone: 'border-accent text-accent bg-accent/10' }
      : { text: t('top.live'), tone: 'border-crit bg-[#b3123f] text-white' };
  return (
    <span
      aria-label={t('top.mode', { mode: look.text })}
      role="status"
      className={cx('rounded-sm border px-2 text-2xs font-semibold leading-[18px]', look.tone)}
    >
      {look.text}
    </span>
  );
}

function AccountCard() {
  const { t } = useTranslation();
  const account = useAccount();
  const tone = fmt.direction(account?.day_pnl);
  const cell = (name: string, value: string, className = '') => (
    <span className="flex flex-col leading-[13px]">
      <span className="text-2xs text-t3">{name}</span>
      <span className={cx('live font-semibold', className)}>{value}</span>
    </span>
  );
  return (
    <section
      aria-label={account ? t('top.account', { id: account.id, venue: account.venue }) : t('top.equity')}
      className="flex h-8 min-w-60 items-center gap-4 max-[1099px]:hidden rounded-sm border border-line px-2.5"
    >
      {account ? (
        <>
          {cell(t('top.equity'), fmt.money(account.equity))}
          {cell(
            t('top.dayPnl'),
            `${fmt.change(account.day_pnl)} (${fmt.percentChange(account.day_pnl_ratio)}%)`,
            fmt.toneClass(tone),
          )}
          {cell(t('top.margin'), fmt.percent(account.margin_ratio))}
          <ChevronDown aria-hidden className="size-3 text-t3" />
        </>
      ) : (
        <span className="skeleton h-3 w-full" />
      )}
    </section>
  );
}

function SettingsMenu() {
  const { t } = useTranslation();
  const prefs = usePrefs();
  const open = useUi((s) => s.open);
  const speak = (language: 'en' | 'en-XA') => {
    prefs.set({ language });
    void i18next.changeLanguage(language);
  };
  return (
    <Menu
      align="end"
      trigger={
        <button
          type="button"
          aria-label={t('top.settings')}
          className="flex size-7 items-center justify-center rounded-sm text-t2 hover:bg-bg3 hover:text-t1"
        >
          <Settings className="size-4" />
        </button>
      }
      items={[
        {
          id: 'dark',
          label: t('top.themeDark'),
          checked: prefs.theme === 'dark',
          run: () => prefs.set({ theme: 'dark' }),
        },
        {
          id: 'light',
          label: t('top.themeLight'),
          checked: prefs.theme === 'light',
          run: () => prefs.set({ theme: 'light' }),
        },
        { id: 's1', separator: true },
        { id: 'h1', heading: t('top.palette') },
        {
          id: 'p1',
          label: t('top.paletteDefault'),
          checked: prefs.palette === 'default',
          run: () => prefs.set({ palette: 'default' }),
        },
        {
          id: 'p2',
          label: t('top.paletteBlue'),
          checked: prefs.palette === 'blue-orange',
          run: () => prefs.set({ palette: 'blue-orange' }),
        },
        { id: 's2', separator: true },
        { id: 'h2', heading: t('top.language') },
        { id: 'l1', label: t('top.english'), checked: prefs.language === 'en', run: () => speak('en') },
        { id: 'l2', label: t('top.pseudo'), checked: prefs.language === 'en-XA', run: () => speak('en-XA') },
        { id: 's3', separator: true },
        { id: 'reset', label: t('workspace.resetLayout'), run: () => useUi.getState().resetLayout() },
        { id: 'checklist', label: t('top.checklist'), run: () => prefs.set({ onboarding: [] }) },
        { id: 'keys', label: t('top.shortcuts'), keys: '?', run: () => open({ kind: 'shortcuts' }) },
        { id: 'about', label: t('top.about'), run: () => open({ kind: 'about' }) },
      ]}
    />
  );
}

function HaltButton() {
  const { t } = useTranslation();
  const { halted, halt } = useHalt();
  return (
    <Tip text={halted ? t('top.halted') : t('top.halt')} shortcut="Ctrl+Shift+Backspace">
      <Button
        variant={halted ? 'danger-solid' : 'danger'}
        className="h-7 px-3 font-semibold"
        onClick={halted ? () => useUi.getState().open({ kind: 'resume' }) : halt}
      >
        <CircleX aria-hidden className="size-3.5" />
        {halted ? t('top.halted') : t('top.halt')}
      </Button>
    </Tip>
  );
}
