import { CircleAlert, CircleCheck, Info, TriangleAlert, X } from 'lucide-react';
import { Button } from './Button';
import { cx } from './cx';
import { useToasts } from './toasts';

const LOOK = {
  info: { icon: Info, tone: 'text-accent' },
  ok: { icon: CircleCheck, tone: 'text-ok' },
  warn: { icon: TriangleAlert, tone: 'text-warn' },
  crit: { icon: CircleAlert, tone: 'text-crit' },
};

/** Two live regions: what concerns money or went wrong interrupts, the rest waits for a pause. */
export function Toaster({ label, closeLabel }: { label: string; closeLabel: string }) {
  const { entries, dismiss } = useToasts();
  return (
    <section
      aria-label={label}
      className="pointer-events-none fixed right-3 bottom-8 z-50 flex w-[360px] flex-col gap-2"
    >
      {(['assertive', 'polite'] as const).map((politeness) => (
        <div key={politeness} aria-live={politeness} className="flex flex-col gap-2">
          {entries
            .filter((entry) => (entry.tone === 'crit' || entry.tone === 'warn') === (politeness === 'assertive'))
            .map((entry) => {
              const { icon: Icon, tone } = LOOK[entry.tone];
              return (
                <div
                  key={entry.id}
                  className="pop pointer-events-auto flex gap-2.5 rounded-md border border-line bg-bg2 p-3 shadow-(--shadow)"
                >
                  <Icon aria-hidden className={cx('mt-px size-4 shrink-0', tone)} />
                  <div className="min-w-0 flex-1">
                    <p className="font-medium">
                      {entry.title}
                      {entry.count > 1 ? <span className="ml-1 text-t3">×{entry.count}</span> : null}
                    </p>
                    {entry.detail ? (
                      <p className="mt-0.5 break-words text-xs text-t2 selectable">{entry.detail}</p>
                    ) : null}
                    {entry.actions?.length ? (
                      <div className="mt-2 flex gap-2">
                        {entry.actions.map((action) => (
                          <Button
                            key={action.label}
                            size="sm"
                            onClick={() => {
                              action.run();
                              dismiss(entry.id);
                            }}
                          >
                            {action.label}
                          </Button>
                        ))}
                      </div>
                    ) : null}
                  </div>
                  <button
                    type="button"
                    aria-label={closeLabel}
                    onClick={() => dismiss(entry.id)}
                    className="-m-1 inline-flex size-6 items-center justify-center rounded-sm text-t3 hover:text-t1"
                  >
                    <X className="size-3.5" />
                  </button>
                </div>
              );
            })}
        </div>
      ))}
    </section>
  );
}
