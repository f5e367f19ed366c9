import { useCallback, useEffect, useState } from 'react';
import { fromBytes, toBytes } from '@/lib/bytes';
import { useTransport } from './hooks';
import { TransportError } from './Transport';
import type { Completion } from './types';

/** What the engine says of an expression; places are characters, not bytes. */
export interface Verdict {
  /** The text it is about. */
  text: string;
  ok: boolean;
  message: string | null;
  hint: string | null;
  start: number;
  end: number;
}

/** What to show below a field that holds `text`: an answer about another text points at the wrong place. */
export const complaintOf = (verdict: Verdict | null, text: string) =>
  verdict && !verdict.ok && verdict.text === text
    ? { message: verdict.message ?? '', hint: verdict.hint, start: verdict.start, end: verdict.end }
    : null;

const CHECK_AFTER_MS = 120;

/** Asks the engine about what is being typed; `null` while it has not answered and for no text. */
export function useExpressionCheck(text: string, kind?: 'bool' | 'number'): Verdict | null {
  const transport = useTransport();
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  useEffect(() => {
    const asked = new AbortController();
    const timer = setTimeout(() => {
      if (text.trim() === '') {
        setVerdict(null);
        return;
      }
      transport
        .call('expressions.check', { text, ...(kind ? { kind } : {}) }, { signal: asked.signal })
        .then(({ ok, error }) =>
          setVerdict({
            text,
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
            setVerdict({ text, ok: false, message: error.message, hint: null, start: 0, end: 0 });
        });
    }, CHECK_AFTER_MS);
    return () => {
      clearTimeout(timer);
      asked.abort();
    };
  }, [text, kind, transport]);
  return verdict;
}

/** What may come next at a place in an expression; `null` when nothing may. */
export function useExpressionCompletion(): (text: string, cursor: number) => Promise<Completion | null> {
  const transport = useTransport();
  return useCallback(
    (text, cursor) =>
      transport.call('expressions.complete', { text, cursor: toBytes(text, cursor) }).then(
        (answer) =>
          answer.items.length
            ? { ...answer, start: fromBytes(text, answer.start), end: fromBytes(text, answer.end) }
            : null,
        () => null,
      ),
    [transport],
  );
}
