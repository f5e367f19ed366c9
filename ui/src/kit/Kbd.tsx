/** `Ctrl+Shift+R` as key caps. */
export function Kbd({ keys }: { keys: string }) {
  return (
    <span className="inline-flex gap-1">
      {keys.split('+').map((key) => (
        <kbd
          key={key}
          className="rounded-[3px] border border-ctl/60 bg-bg1 px-1 font-mono text-[10px] leading-[14px] text-t2"
        >
          {key}
        </kbd>
      ))}
    </span>
  );
}
