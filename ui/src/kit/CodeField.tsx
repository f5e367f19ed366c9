import { type KeyboardEvent, type Ref, useId, useImperativeHandle, useRef, useState } from 'react';

/** Proposals for the part of the text from `start` to `end`. */
export interface Proposals {
  items: { insert: string; label: string; detail: string }[];
  start: number;
  end: number;
}
/** What is wrong with the text, and where. */
export interface Complaint {
  message: string;
  hint: string | null;
  start: number;
  end: number;
}

/**
 * A few lines of code: Ctrl+Space (or, `eager`, typing) proposes what may come next, the bad part is underlined by carets.
 */
export function CodeField({
  label,
  value,
  onChange,
  complaint,
  valid,
  propose,
  proposalsLabel,
  onSubmit,
  rows = 2,
  eager = false,
  ref,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  complaint: Complaint | null;
  /** What to say of a good text; nothing while it is not known to be one. */
  valid: string | null;
  propose: (text: string, cursor: number) => Promise<Proposals | null>;
  proposalsLabel: string;
  /** Enter while no proposals are open; a new line without it. */
  onSubmit?: (() => void) | undefined;
  rows?: number;
  eager?: boolean;
  ref?: Ref<{ focus: () => void }>;
}) {
  const id = useId();
  const [list, setList] = useState<Proposals | null>(null);
  const [picked, setPicked] = useState(0);
  const field = useRef<HTMLTextAreaElement>(null);
  const asked = useRef(0);
  useImperativeHandle(ref, () => ({ focus: () => field.current?.focus() }), []);

  const open = (text: string, cursor: number) => {
    const number = ++asked.current;
    void propose(text, cursor).then((answer) => {
      if (number !== asked.current || document.activeElement !== field.current) return;
      const typed = answer ? text.slice(answer.start, answer.end) : '';
      // What is already complete needs no proposal of itself.
      setList(answer && !(answer.items.length === 1 && answer.items[0]?.label === typed) ? answer : null);
      setPicked(0);
    });
  };
  const shut = () => {
    asked.current += 1;
    setList(null);
  };
  const accept = (index: number) => {
    const item = list?.items[index];
    if (!item || !list) return;
    onChange(value.slice(0, list.start) + item.insert + value.slice(list.end));
    shut();
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === ' ' && event.ctrlKey) open(value, field.current?.selectionStart ?? value.length);
    else if (list && move) setPicked((picked + move + list.items.length) % list.items.length);
    else if (list && (event.key === 'Enter' || event.key === 'Tab')) accept(picked);
    else if (list && event.key === 'Escape') {
      event.stopPropagation();
      shut();
    } else if (onSubmit && event.key === 'Enter' && !event.shiftKey) onSubmit();
    else return;
    event.preventDefault();
  };

  const carets =
    complaint && complaint.end > complaint.start
      ? `${' '.repeat(complaint.start)}${'^'.repeat(complaint.end - complaint.start)}`
      : '';
  return (
    <div className="relative flex flex-col gap-1">
      <label htmlFor={id} className="text-xs text-t2">
        {label}
      </label>
      <textarea
        ref={field}
        id={id}
        rows={rows}
        spellCheck={false}
        value={value}
        onChange={(event) => {
          const { value: text, selectionStart: cursor } = event.target;
          onChange(text);
          if (eager && /[a-z_.]\w*$/i.test(text.slice(0, cursor))) open(text, cursor);
          else shut();
        }}
        onKeyDown={onKeyDown}
        onBlur={shut}
        aria-invalid={complaint !== null || undefined}
        aria-describedby={`${id}-verdict`}
        aria-controls={list ? `${id}-list` : undefined}
        className="w-full resize-y rounded-sm border border-ctl bg-bg0 px-2 py-1.5 font-mono selectable aria-invalid:border-crit"
      />
      <div className="relative">
        {list ? (
          <div
            id={`${id}-list`}
            role="listbox"
            aria-label={proposalsLabel}
            className="absolute top-0 left-2 z-10 max-h-48 w-80 max-w-[95%] overflow-auto rounded-md border border-line bg-bg2 p-1 font-mono shadow-(--shadow)"
          >
            {list.items.map((item, i) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the text field handles the keys
              <div
                key={item.label}
                role="option"
                tabIndex={-1}
                aria-selected={i === picked}
                ref={i === picked ? (element) => element?.scrollIntoView({ block: 'nearest' }) : undefined}
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => accept(i)}
                className="flex min-h-6 items-center gap-3 rounded-sm px-2 aria-selected:bg-select"
              >
                <span>{item.label}</span>
                <span className="truncate text-t2">{item.detail}</span>
              </div>
            ))}
          </div>
        ) : null}
        <div id={`${id}-verdict`} aria-live="polite" className="min-h-4 font-mono text-xs">
          {valid ? <span className="text-ok">✓ {valid}</span> : null}
          {complaint ? (
            <pre className="whitespace-pre-wrap text-crit">
              {carets ? `${value.replaceAll('\n', ' ')}\n${carets}\n` : ''}
              {complaint.message}
              {complaint.hint ? ` (${complaint.hint})` : ''}
            </pre>
          ) : null}
        </div>
      </div>
    </div>
  );
}
