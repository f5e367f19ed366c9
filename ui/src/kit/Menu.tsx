import { Check } from 'lucide-react';
import { ContextMenu, DropdownMenu } from 'radix-ui';
import type { ReactNode } from 'react';
import { cx } from './cx';
import { Kbd } from './Kbd';

export type MenuItem =
  | {
      id: string;
      label: ReactNode;
      icon?: ReactNode;
      detail?: ReactNode;
      keys?: string | undefined;
      danger?: boolean;
      checked?: boolean;
      disabled?: boolean;
      run: () => void;
    }
  | { id: string; separator: true }
  | { id: string; heading: string };

const PANEL =
  'pop z-50 max-h-[70vh] min-w-44 overflow-auto rounded-md border border-line bg-bg2 p-1 shadow-(--shadow) text-sm';
const ITEM =
  'flex h-7 items-center gap-2 rounded-sm px-2 outline-none data-[highlighted]:bg-select data-[disabled]:opacity-50 [&>svg]:size-3.5 [&>svg]:text-t2';

type Kind = typeof DropdownMenu | typeof ContextMenu;

function Items({ kind: K, items }: { kind: Kind; items: MenuItem[] }) {
  return items.map((item) => {
    if ('separator' in item) return <K.Separator key={item.id} className="my-1 h-px bg-line" />;
    if ('heading' in item)
      return (
        <K.Label key={item.id} className="px-2 py-1 text-2xs text-t3">
          {item.heading}
        </K.Label>
      );
    const body = (
      <>
        {item.checked !== undefined ? (
          <span className="w-3.5">{item.checked ? <Check className="size-3.5 text-accent" /> : null}</span>
        ) : null}
        {item.icon}
        <span className={cx('flex-1', item.danger && 'text-crit')}>{item.label}</span>
        {item.detail ? <span className="text-xs text-t3">{item.detail}</span> : null}
        {item.keys ? <Kbd keys={item.keys} /> : null}
      </>
    );
    const disabled = item.disabled ?? false;
    return item.checked === undefined ? (
      <K.Item key={item.id} className={ITEM} onSelect={item.run} disabled={disabled}>
        {body}
      </K.Item>
    ) : (
      <K.CheckboxItem key={item.id} className={ITEM} checked={item.checked} onSelect={item.run} disabled={disabled}>
        {body}
      </K.CheckboxItem>
    );
  });
}

/** A menu that opens from a button. */
export function Menu({
  trigger,
  items,
  align = 'start',
}: {
  trigger: ReactNode;
  items: MenuItem[];
  align?: 'start' | 'end';
}) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content align={align} sideOffset={4} collisionPadding={6} className={PANEL}>
          <Items kind={DropdownMenu} items={items} />
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

/** The menu of the right mouse button (and of the menu key) over its child. */
export function RightClick({
  items,
  children,
  onOpenChange,
}: {
  items: MenuItem[];
  children: ReactNode;
  onOpenChange?: (open: boolean) => void;
}) {
  return (
    <ContextMenu.Root modal={false} {...(onOpenChange ? { onOpenChange } : {})}>
      <ContextMenu.Trigger asChild>{children}</ContextMenu.Trigger>
      <ContextMenu.Portal>
        <ContextMenu.Content collisionPadding={6} className={PANEL}>
          <Items kind={ContextMenu} items={items} />
        </ContextMenu.Content>
      </ContextMenu.Portal>
    </ContextMenu.Root>
  );
}
