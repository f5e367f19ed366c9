import { Check, X } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { cx } from '@/kit/cx';
import { usePrefs } from '@/lib/prefs';
import { useUi } from '@/lib/ui';

const STEPS = ['look', 'order', 'backtest', 'data', 'theme'] as const;
type Step = (typeof STEPS)[number];

/** Five first steps; each opens what it is about, none is needed. */
export function Onboarding() {
  const { t } = useTranslation();
  const { onboarding, set, theme } = usePrefs();
  if (onboarding.includes('dismissed')) return null;
  const done = (step: Step) => set({ onboarding: [...new Set([...onboarding, step])] });
  const run: Record<Step, () => void> = {
    look: () => {
      done('look');
      useUi.getState().open({ kind: 'shortcuts' });
    },
    order: () => {
      useUi.getState().go('trade');
      requestAnimationFrame(() => useUi.getState().show('ticket'));
    },
    backtest: () => {
      done('backtest');
      useUi.getState().go('research');
    },
    data: () => {
      done('data');
      useUi.getState().go('trade');
      requestAnimationFrame(() => useUi.getState().show('console'));
    },
    theme: () => {
      set({ onboarding: [...new Set([...onboarding, 'theme'])], theme: theme === 'dark' ? 'light' : 'dark' });
    },
  };
  return (
    <aside
      aria-label={t('top.checklist')}
      className="pop fixed bottom-8 left-2 z-30 w-[264px] rounded-md border border-line bg-bg2 p-3 shadow-(--shadow)"
    >
      <div className="mb-1.5 flex items-center">
        <h2 className="flex-1 font-semibold">{t('onboarding.title')}</h2>
        <button
          type="button"
          aria-label={t('action.dismiss')}
          onClick={() => set({ onboarding: [...onboarding, 'dismissed'] })}
          className="flex size-6 items-center justify-center rounded-sm text-t2 hover:bg-bg3"
        >
          <X className="size-3.5" />
        </button>
      </div>
      <ol className="flex flex-col">
        {STEPS.map((step, i) => {
          const finished = onboarding.includes(step);
          return (
            <li key={step}>
              <button
                type="button"
                onClick={run[step]}
                className="flex min-h-7 w-full items-center gap-2 rounded-sm px-1 text-left hover:bg-bg3"
              >
                <span
                  className={cx(
                    'flex size-4 shrink-0 items-center justify-center rounded-full border text-[10px]',
                    finished ? 'border-ok text-ok' : 'border-ctl text-t2',
                  )}
                >
                  {finished ? <Check aria-hidden className="size-3" /> : i + 1}
                </span>
                <span className={finished ? 'text-t3' : ''}>
                  {t(`onboarding.${step}`)}
                  {finished ? <span className="sr-only"> ({t('halt.done')})</span> : null}
                </span>
              </button>
            </li>
          );
        })}
      </ol>
    </aside>
  );
}
