import { X } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import { type ReactNode, useRef } from 'react';
import { cx } from './cx';

/** A modal box in the middle, or (`side`) a sheet at the right edge. */
export function Dialog({
  open,
  onOpenChange,
  title,
  description,
  children,
  footer,
  side = false,
  width = 'w-[460px]',
  closeLabel,
  initialFocus,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: ReactNode;
  description?: ReactNode;
  children: ReactNode;
  footer?: ReactNode;
  side?: boolean;
  width?: string;
  closeLabel: string;
  /** CSS selector of the element focus starts at. */
  initialFocus?: string;
}) {
  // Boxes are opened by state, so the library knows no button to give the focus back to.
  const before = useRef<Element | null>(null);
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-(--overlay)" />
        <Radix.Content
          {...(description ? {} : { 'aria-describedby': undefined })}
          onOpenAutoFocus={(event) => {
            before.current = document.activeElement;
            if (!initialFocus) return;
            const target = (event.currentTarget as HTMLElement).querySelector<HTMLElement>(initialFocus);
            if (target) {
              event.preventDefault();
              target.focus();
            }
          }}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            if (before.current instanceof HTMLElement && before.current.isConnected) before.current.focus();
          }}
          className={cx(
            'pop fixed z-40 flex max-h-[86vh] max-w-[96vw] flex-col border border-line bg-bg1 shadow-(--shadow)',
            side ? 'inset-y-0 right-0 max-h-none rounded-l-md' : 'top-[12vh] left-1/2 -translate-x-1/2 rounded-md',
            width,
          )}
        >
          <div className="flex items-start gap-3 border-b border-line px-4 py-3">
            <div className="min-w-0 flex-1">
              <Radix.Title className="text-md font-semibold">{title}</Radix.Title>
              {description ? (
                <Radix.Description className="mt-0.5 text-xs text-t2">{description}</Radix.Description>
              ) : null}
            </div>
            <Radix.Close
              aria-label={closeLabel}
              className="inline-flex size-6 items-center justify-center rounded-sm text-t2 hover:bg-bg3 hover:text-t1"
            >
              <X className="size-3.5" />
            </Radix.Close>
          </div>
          <div className="min-h-0 flex-1 overflow-auto px-4 py-3">{children}</div>
          {footer ? (
            <div className="flex items-center justify-end gap-2 border-t border-line px-4 py-3">{footer}</div>
          ) : null}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
