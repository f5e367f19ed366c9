import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { fromBytes, toBytes } from '@/lib/bytes';
import { useTransport } from '@/transport/hooks';
import { TransportError } from '@/transport/Transport';
import type { Completion } from '@/transport/types';

interface Verdict {
  ok: boolean;
  message: string | null;
  hint: string | null;
  start: number;
  end: number;
}

/** One expression of the strategy language: checked by the engine while typing, the bad part underlined by carets. */
export function ExpressionEditor({
  kind,
  initial,
  label,
}: {
  kind: 'bool' | 'number';
  initial: string;
  label: string;
}) {
  const { t } = useTranslation();
  const transport = useTransport();
  const id = useId();
  const [text, setText] = useState(initial);
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const [list, setList] = useState<Completion | null>(null);
  const [picked, setPicked] = useState(0);
  const field = useRef<HTMLTextAreaElement>(null);

  useEffect(() => {
    const asked = new AbortController();
    const timer = setTimeout(() => {
      if (text.trim() === '') {
        setVerdict(null);
        return;
      }
      transport
        .call('expressions.check', { text, kind }, { signal: asked.signal })
        .then(({ ok, error }) =>
          setVerdict({
            ok,
            message: error?.message ?? null,
            hint: error?.hint ?? null,
            start: fromBytes(text, error?.start ?? 0),
            end: fromBytes(text, error?.end ?? 0),
          }),
        )
        .catch((cause) => {
          const error = TransportError.from(cause);
          if (error.code !== 'canceled')
            setVerdict({ ok: false, message: error.message, hint: null, start: 0, end: 0 });
        });
    }, 150);
    return () => {
      clearTimeout(timer);
      asked.abort();
    };
  }, [text, kind, transport]);

  const complete = () => {
    const cursor = field.current?.selectionStart ?? text.length;
    transport
      .call('expressions.complete', { text, cursor: toBytes(text, cursor) })
      .then((answer) => {
        setList(
          answer.items.length
            ? { ...answer, start: fromBytes(text, answer.start), end: fromBytes(text, answer.end) }
            : null,
        );
        setPicked(0);
      })
      .catch(() => setList(null));
  };
  const accept = (index: number) => {
    const item = list?.items[index];
    if (!item || !list) return;
    setText(text.slice(0, list.start) + item.insert + text.slice(list.end));
    setList(null);
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === ' ' && event.ctrlKey) {
      event.preventDefault();
      complete();
    } else if (list && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      event.preventDefault();
      setPicked((picked + (event.key === 'ArrowDown' ? 1 : -1) + list.items.length) % list.items.length);
    } else if (list && (event.key === 'Enter' || event.key === 'Tab')) {
      event.preventDefault();
      accept(picked);
    } else if (event.key === 'Escape') setList(null);
  };

  const carets =
    verdict?.ok === false && verdict.end > verdict.start
      ? `${' '.repeat(verdict.start)}${'^'.repeat(Math.max(1, verdict.end - verdict.start))}`
      : '';
  return (
    <div className="relative flex flex-col gap-1">
      <label htmlFor={id} className="text-xs text-t2">
        {label}
      </label>
      <textarea
        ref={field}
        id={id}
        rows={2}
        spellCheck={false}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setList(null);
        }}
        onKeyDown={onKeyDown}
        onBlur={() => setList(null)}
        aria-invalid={verdict?.ok === false || undefined}
        aria-describedby={`${id}-verdict`}
        className="w-full resize-y rounded-sm border border-ctl bg-bg0 px-2 py-1.5 font-mono selectable aria-invalid:border-crit"
      />
      {list ? (
        <div
          role="listbox"
          aria-label={t('console.completions')}
          className="absolute top-full left-2 z-10 max-h-48 w-80 overflow-auto rounded-md border border-line bg-bg2 p-1 font-mono shadow-(--shadow)"
        >
          {list.items.map((item, i) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the text field handles the keys
            <div
              key={item.label}
              role="option"
              tabIndex={-1}
              aria-selected={i === picked}
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
        {verdict?.ok ? <span className="text-ok">✓ {t('editor.valid')}</span> : null}
        {verdict?.ok === false ? (
          <pre className="whitespace-pre-wrap text-crit">
            {carets ? `${text.replaceAll('\n', ' ')}\n${carets}\n` : ''}
            {verdict.message}
            {verdict.hint ? ` (${verdict.hint})` : ''}
          </pre>
        ) : null}
      </div>
    </div>
  );
}
