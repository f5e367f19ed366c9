import type { ReactNode } from 'react';
import { cx } from './cx';

const TONES = {
  neutral: 'bg-bg3 text-t2',
  accent: 'bg-accent/15 text-accent',
  warn: 'bg-warn/15 text-warn',
  crit: 'bg-crit/15 text-crit',
  up: 'bg-up/15 text-up',
  down: 'bg-down/15 text-down',
  violet: 'bg-violet/15 text-violet',
};
export type Tone = keyof typeof TONES;

export function Chip({
  tone = 'neutral',
  className,
  children,
}: {
  tone?: Tone;
  className?: string;
  children: ReactNode;
}) {
  return (
    <span
      className={cx(
        'inline-flex h-[18px] shrink-0 items-center rounded-sm px-1.5 text-2xs font-semibold',
        TONES[tone],
        className,
      )}
    >
      {children}
    </span>
  );
}

/** The number after a tab's title. */
export function Count({ children }: { children: ReactNode }) {
  return <span className="rounded-full bg-bg3 px-1.5 text-2xs text-t2 num">{children}</span>;
}
