import type { Group } from '@/lib/links';

/** The colour and the letter of a link group. */
export function GroupChip({ group }: { group: Group }) {
  return (
    <span
      className="inline-flex size-4 items-center justify-center rounded-sm text-[10px] leading-none font-bold"
      style={{ background: `var(--group-${group.toLowerCase()})`, color: 'var(--group-ink)' }}
    >
      {group}
    </span>
  );
}
