import type { ComponentProps, ReactNode } from 'react';
import { cx } from './cx';
import { Tip } from './Tip';

type Variant = 'plain' | 'ghost' | 'solid' | 'buy' | 'sell' | 'danger' | 'danger-solid' | 'link';
const VARIANTS: Record<Variant, string> = {
  plain: 'border border-line bg-bg2 text-t1 hover:bg-bg3',
  ghost: 'text-t2 hover:bg-bg3 hover:text-t1 aria-pressed:bg-select aria-pressed:text-accent',
  solid: 'bg-solid text-white hover:brightness-110',
  buy: 'bg-buy text-white hover:brightness-110',
  sell: 'bg-sell text-white hover:brightness-110',
  danger: 'border border-crit/70 bg-crit/12 text-crit hover:bg-crit/20',
  'danger-solid': 'bg-[#b3123f] text-white hover:brightness-110',
  link: 'text-accent hover:underline underline-offset-2',
};
const SIZES = {
  sm: 'h-6 px-2 text-sm',
  md: 'h-7 px-2.5 text-sm',
  lg: 'h-9 px-4 text-md font-semibold',
  bare: '',
};

export type ButtonProps = ComponentProps<'button'> & { variant?: Variant; size?: keyof typeof SIZES };

export function Button({ variant = 'plain', size = 'md', className, type = 'button', ...rest }: ButtonProps) {
  return (
    <button
      type={type}
      className={cx(
        'inline-flex shrink-0 items-center justify-center gap-1.5 whitespace-nowrap rounded-sm font-medium disabled:opacity-50',
        VARIANTS[variant],
        SIZES[size],
        className,
      )}
      {...rest}
    />
  );
}

/** A button that shows only an icon; `label` is its name and its tooltip. */
export function IconButton({
  label,
  children,
  className,
  shortcut,
  ...rest
}: Omit<ComponentProps<'button'>, 'aria-label'> & { label: string; children: ReactNode; shortcut?: string }) {
  return (
    <Tip text={label} shortcut={shortcut}>
      <button
        type="button"
        aria-label={label}
        className={cx(
          'inline-flex size-6 shrink-0 items-center justify-center rounded-sm text-t2 hover:bg-bg3 hover:text-t1',
          'aria-pressed:bg-select aria-pressed:text-accent disabled:opacity-50 [&>svg]:size-3.5',
          className,
        )}
        {...rest}
      >
        {children}
      </button>
    </Tip>
  );
}
