import { RadioGroup } from 'radix-ui';

/** One colour of a few, by its token. */
export function Swatches<V extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: V;
  options: readonly { value: V; label: string }[];
  onChange: (value: V) => void;
}) {
  return (
    <div className="flex flex-col gap-1">
      <span className="text-xs text-t2">{label}</span>
      <RadioGroup.Root
        aria-label={label}
        value={value}
        onValueChange={(next) => onChange(next as V)}
        orientation="horizontal"
        className="-ml-1 flex"
      >
        {options.map((option) => (
          <RadioGroup.Item
            key={option.value}
            value={option.value}
            aria-label={option.label}
            title={option.label}
            className="flex size-6 items-center justify-center rounded-sm data-[state=checked]:bg-bg3 data-[state=checked]:shadow-[inset_0_0_0_1px_var(--ctl)]"
          >
            <span aria-hidden className="size-3 rounded-[3px]" style={{ background: `var(--${option.value})` }} />
          </RadioGroup.Item>
        ))}
      </RadioGroup.Root>
    </div>
  );
}
