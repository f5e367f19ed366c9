import { Tooltip } from 'radix-ui';
import type { ReactNode } from 'react';
import { Kbd } from './Kbd';

/** A tooltip around one focusable child. */
export function Tip({
  text,
  shortcut,
  children,
}: {
  text: ReactNode;
  shortcut?: string | undefined;
  children: ReactNode;
}) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger asChild>{children}</Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Content
          sideOffset={4}
          collisionPadding={6}
          className="pop z-50 flex max-w-80 items-center gap-2 rounded-sm border border-line bg-bg2 px-2 py-1 text-xs text-t1 shadow-(--shadow)"
        >
          {text}
          {shortcut ? <Kbd keys={shortcut} /> : null}
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
export const TipProvider = ({ children }: { children: ReactNode }) => (
  <Tooltip.Provider delayDuration={500} skipDelayDuration={100}>
    {children}
  </Tooltip.Provider>
);
