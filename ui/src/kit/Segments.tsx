import { RadioGroup } from 'radix-ui';
import { cx } from './cx';

/** One of a few: order types, sizes, ranges. */
export function Segments<V extends string>({
  label,
  value,
  options,
  onChange,
  className,
  boxed = false,
}: {
  label: string;
  value: V | null;
  options: readonly { value: V; label: string; title?: string }[];
  onChange: (value: V) => void;
  className?: string;
  /** Each option in its own box instead of one strip. */
  boxed?: boolean;
}) {
  return (
    <RadioGroup.Root
      aria-label={label}
      value={value}
      onValueChange={(next) => onChange(next as V)}
      orientation="horizontal"
      className={cx('flex', boxed ? 'gap-1' : 'rounded-sm bg-bg2 p-0.5', className)}
    >
      {options.map((option) => (
        <RadioGroup.Item
          key={option.value}
          value={option.value}
          title={option.title}
          className={cx(
            'h-6 flex-1 whitespace-nowrap rounded-sm px-1.5 text-t2 hover:text-t1',
            'data-[state=checked]:bg-select data-[state=checked]:font-medium data-[state=checked]:text-accent',
            boxed && 'border border-line data-[state=checked]:border-transparent',
          )}
        >
          {option.label}
        </RadioGroup.Item>
      ))}
    </RadioGroup.Root>
  );
}
