import { Switch } from 'radix-ui';
import { type ReactNode, useId } from 'react';

export function Toggle({
  checked,
  onChange,
  label,
}: {
  checked: boolean;
  onChange: (checked: boolean) => void;
  label: ReactNode;
}) {
  const id = useId();
  return (
    <div className="flex items-center gap-2">
      <Switch.Root
        id={id}
        checked={checked}
        onCheckedChange={onChange}
        className="relative h-4 w-7 shrink-0 rounded-full bg-ctl before:absolute before:-inset-1 data-[state=checked]:bg-solid"
      >
        <Switch.Thumb className="block size-3 translate-x-0.5 rounded-full bg-white transition-transform data-[state=checked]:translate-x-3.5 motion-reduce:transition-none" />
      </Switch.Root>
      <label htmlFor={id}>{label}</label>
    </div>
  );
}
