import { Popover as Radix } from 'radix-ui';
import type { ReactNode } from 'react';
import { cx } from './cx';

export function Popover({
  trigger,
  children,
  label,
  open,
  onOpenChange,
  className,
  align = 'start',
  onEscape,
  onClosed,
}: {
  trigger: ReactNode;
  children: ReactNode;
  label: string;
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
  className?: string;
  align?: 'start' | 'end' | 'center';
  /** Escape was pressed; it closes unless the default is prevented. */
  onEscape?: (event: KeyboardEvent) => void;
  /** Where the focus goes then, instead of to the trigger. */
  onClosed?: (event: Event) => void;
}) {
  return (
    <Radix.Root {...(open === undefined ? {} : { open })} {...(onOpenChange ? { onOpenChange } : {})}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          aria-label={label}
          align={align}
          sideOffset={4}
          collisionPadding={6}
          {...(onEscape ? { onEscapeKeyDown: onEscape } : {})}
          {...(onClosed ? { onCloseAutoFocus: onClosed } : {})}
          className={cx('pop z-40 rounded-md border border-line bg-bg2 p-2 shadow-(--shadow)', className)}
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
