import { CircleAlert, PlugZap } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { Button } from './Button';
import { cx } from './cx';

/** What a panel is for when it has nothing to show, and one thing to do about it. */
export function EmptyState({
  icon,
  title,
  children,
  action,
}: {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  action?: { label: string; run: () => void };
}) {
  return (
    <div className="flex h-full flex-col items-center justify-center gap-1.5 p-4 text-center" data-state="empty">
      {icon ? <div className="text-t3 [&>svg]:size-5">{icon}</div> : null}
      <p className="font-medium">{title}</p>
      {children ? <p className="max-w-80 text-t2">{children}</p> : null}
      {action ? (
        <Button size="sm" className="mt-1" onClick={action.run}>
          {action.label}
        </Button>
      ) : null}
    </div>
  );
}

/** Grey bars after 150 ms, so that a quick answer does not flicker. */
export function Skeleton({ label, rows = 5 }: { label: string; rows?: number }) {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), 150);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div
      role="status"
      aria-label={label}
      data-state="loading"
      className="flex h-full flex-col gap-2 overflow-hidden p-2.5"
    >
      {shown
        ? Array.from({ length: rows }, (_, i) => `row ${i}`).map((key, i) => (
            <div key={key} className={cx('skeleton h-3.5 shrink-0', ['w-full', 'w-11/12', 'w-4/5'][i % 3])} />
          ))
        : null}
    </div>
  );
}

export function ErrorState({
  message,
  code,
  retryLabel,
  copyLabel,
  onRetry,
  details,
}: {
  message: string;
  code: string;
  retryLabel: string;
  copyLabel: string;
  onRetry?: (() => void) | undefined;
  details?: string | undefined;
}) {
  return (
    <div
      role="alert"
      data-state="error"
      className="flex h-full flex-col items-center justify-center gap-1.5 p-4 text-center"
    >
      <CircleAlert aria-hidden className="size-5 text-crit" />
      <p className="font-medium">{message}</p>
      <p className="font-mono text-xs text-t3">{code}</p>
      <div className="mt-1 flex gap-2">
        {onRetry ? (
          <Button size="sm" onClick={onRetry}>
            {retryLabel}
          </Button>
        ) : null}
        <Button
          size="sm"
          variant="ghost"
          onClick={() => void navigator.clipboard?.writeText(details ?? `${code}: ${message}`)}
        >
          {copyLabel}
        </Button>
      </div>
    </div>
  );
}

/** The strip over a panel whose connection is gone; its last values stay below. */
export function Disconnected({ text }: { text: string }) {
  return (
    <div
      role="status"
      data-state="disconnected"
      className="hatch flex h-6 shrink-0 items-center gap-1.5 border-b border-line px-2.5 text-xs text-warn"
    >
      <PlugZap aria-hidden className="size-3.5" />
      {text}
    </div>
  );
}

/** How old the values are, once they are too old. */
export function AgeChip({ text }: { text: string }) {
  return (
    <span data-state="stale" className="rounded-sm bg-warn/15 px-1.5 text-2xs font-semibold text-warn">
      {text}
    </span>
  );
}
