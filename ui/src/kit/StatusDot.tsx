import { cx } from './cx';

export type Status = 'ok' | 'degraded' | 'down' | 'off';
const SHAPES: Record<Status, { d: string; tone: string }> = {
  ok: { d: 'M5 1.2a3.8 3.8 0 1 0 0 7.6 3.8 3.8 0 0 0 0-7.6Z', tone: 'text-ok' },
  degraded: { d: 'M5 0 10 5 5 10 0 5Z', tone: 'text-warn' },
  down: { d: 'M1 1h8v8H1Z', tone: 'text-crit' },
  off: { d: 'M1.5 1.5h7v7h-7Z', tone: 'text-t3' },
};

/** ● ok, ◆ degraded, ■ down: shape and colour, and a name for who sees neither. */
export function StatusDot({ status, label, className }: { status: Status; label?: string; className?: string }) {
  const { d, tone } = SHAPES[status];
  return (
    <svg
      viewBox="0 0 10 10"
      className={cx('size-2 shrink-0 fill-current', tone, className)}
      {...(label ? { role: 'img', 'aria-label': label } : { 'aria-hidden': true })}
    >
      <path d={d} />
    </svg>
  );
}
