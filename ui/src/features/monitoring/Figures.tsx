import type { ReactNode } from 'react';

/** Key figures in a row. */
export function Figures({ items }: { items: { name: string; value: ReactNode }[] }) {
  return (
    <dl className="flex shrink-0 gap-8 px-3 pt-2">
      {items.map((item) => (
        <div key={item.name} className="flex flex-col-reverse">
          <dt className="text-xs text-t2">{item.name}</dt>
          <dd className="live text-xl font-semibold">{item.value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function LegendLine({ items }: { items: { label: string; color: string }[] }) {
  return (
    <div className="flex shrink-0 gap-4 px-3 py-1 text-xs text-t2">
      {items.map((item) => (
        <span key={item.label} className="flex items-center gap-1.5">
          <span aria-hidden className="h-0.5 w-2.5 rounded-full" style={{ background: `var(--${item.color})` }} />
          {item.label}
        </span>
      ))}
    </div>
  );
}
