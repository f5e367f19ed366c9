import { type ComponentProps, type ReactNode, useId } from 'react';
import { cx } from './cx';

const BOX =
  'h-7 w-full rounded-sm border border-ctl bg-bg0 px-2 text-t1 selectable hover:border-t3 focus-visible:border-accent disabled:opacity-50 aria-invalid:border-crit';

/** A label, its control and what is wrong with it. */
export function Field({
  label,
  hint,
  error,
  children,
  className,
}: {
  label: ReactNode;
  hint?: ReactNode;
  error?: string | undefined;
  children: (props: {
    id: string;
    'aria-invalid': boolean | undefined;
    'aria-describedby': string | undefined;
  }) => ReactNode;
  className?: string;
}) {
  const id = useId();
  return (
    <div className={cx('flex min-w-0 flex-col gap-1', className)}>
      <div className="flex items-baseline justify-between gap-2 text-xs">
        <label htmlFor={id} className="truncate text-t2">
          {label}
        </label>
        {hint ? <span className="shrink-0 text-t3">{hint}</span> : null}
      </div>
      {children({
        id,
        'aria-invalid': error ? true : undefined,
        'aria-describedby': error ? `${id}-error` : undefined,
      })}
      {error ? (
        <p id={`${id}-error`} className="text-xs text-crit">
          {error}
        </p>
      ) : null}
    </div>
  );
}

export function Input({ className, ...rest }: ComponentProps<'input'>) {
  return <input autoComplete="off" spellCheck={false} className={cx(BOX, className)} {...rest} />;
}

/** Text that must be a decimal: right-aligned, numeric keyboard. */
export function NumberInput({ className, ...rest }: ComponentProps<'input'>) {
  return <Input inputMode="decimal" className={cx('num', className)} {...rest} />;
}

export function Select({ className, children, ...rest }: ComponentProps<'select'>) {
  return (
    <select className={cx(BOX, 'pr-1', className)} {...rest}>
      {children}
    </select>
  );
}
