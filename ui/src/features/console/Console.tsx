import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { cx } from '@/kit/cx';
import { fromBytes, toBytes } from '@/lib/bytes';
import { usePrefs } from '@/lib/prefs';
import { useUi, WORKSPACES, type WorkspaceName } from '@/lib/ui';
import { useTransport } from '@/transport/hooks';
import { TransportError } from '@/transport/Transport';
import type { Completion, ConsoleBlock } from '@/transport/types';
import { Block } from './Block';
import { History } from './history';

interface Entry {
  id: number;
  line: string;
  blocks: ConsoleBlock[] | null;
}
const NO_COMPLETION: Completion = { items: [], start: 0, end: 0, ghost: null };
const KEEP = 500;
let nextId = 1;

/** The screen's own words; everything else goes to the engine, which has the grammar. */
function local(line: string): ConsoleBlock[] | 'clear' | null {
  const [noun = '', arg = ''] = line.trim().split(/\s+/);
  if (noun === 'clear') return 'clear';
  if (noun === 'layout' && arg === 'reset') {
    useUi.getState().resetLayout();
    return [];
  }
  if (noun === 'layout' && WORKSPACES.includes(arg as WorkspaceName)) {
    useUi.getState().go(arg as WorkspaceName);
    return [];
  }
  if (noun === 'theme' && (arg === 'dark' || arg === 'light')) {
    usePrefs.getState().set({ theme: arg });
    return [];
  }
  return null;
}

export function Console() {
  const { t } = useTranslation();
  const transport = useTransport();
  const id = useId();
  const [entries, setEntries] = useState<Entry[]>([]);
  const [line, setLine] = useState('');
  const [completion, setCompletion] = useState(NO_COMPLETION);
  const [picked, setPicked] = useState(0);
  const [listOpen, setListOpen] = useState(false);
  const [search, setSearch] = useState<string | null>(null);
  const history = useRef<History>(null);
  history.current ??= new History();
  const input = useRef<HTMLInputElement>(null);
  const log = useRef<HTMLDivElement>(null);
  const asked = useRef(0);
  const running = useRef<AbortController | null>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: new output scrolls into sight
  useEffect(() => {
    log.current?.scrollTo({ top: log.current.scrollHeight });
  }, [entries]);

  useEffect(() => {
    if (line.trim() === '' || search !== null) {
      setCompletion(NO_COMPLETION);
      return;
    }
    const ask = ++asked.current;
    const timer = setTimeout(() => {
      transport
        .call('console.complete', { line, cursor: toBytes(line, input.current?.selectionStart ?? line.length) })
        .then((answer) => {
          if (ask !== asked.current) return;
          setCompletion({ ...answer, start: fromBytes(line, answer.start), end: fromBytes(line, answer.end) });
          setPicked(0);
          setListOpen(answer.items.length > 0);
        })
        .catch(() => setCompletion(NO_COMPLETION));
    }, 80);
    return () => clearTimeout(timer);
  }, [line, search, transport]);

  const run = async (text: string) => {
    history.current?.add(text);
    setLine('');
    setListOpen(false);
    setCompletion(NO_COMPLETION);
    if (text.trim() === '') return;
    const own = local(text);
    if (own === 'clear') {
      setEntries([]);
      return;
    }
    const entry: Entry = { id: nextId++, line: text, blocks: own };
    setEntries((all) => [...all, entry].slice(-KEEP));
    if (own) return;
    running.current = new AbortController();
    let blocks: ConsoleBlock[];
    try {
      blocks = (
        await transport.call('console.run', { line: text }, { timeoutMs: 120_000, signal: running.current.signal })
      ).blocks;
    } catch (cause) {
      const error = TransportError.from(cause);
      blocks = [{ kind: 'error', error: { code: error.code, message: error.message, retryable: error.retryable } }];
    }
    running.current = null;
    setEntries((all) => all.map((each) => (each.id === entry.id ? { ...each, blocks } : each)));
  };

  const accept = (index: number) => {
    const item = completion.items[index];
    if (!item) return;
    const next = `${line.slice(0, completion.start)}${item.insert}${line.slice(completion.end)}`;
    setLine(next.endsWith(' ') ? next : `${next} `);
    setListOpen(false);
    input.current?.focus();
  };

  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    const stop = () => event.preventDefault();
    if (search !== null) {
      if (event.key === 'Escape') setSearch(null);
      else if (event.key === 'Enter') {
        stop();
        setLine(history.current?.search(search) ?? line);
        setSearch(null);
      }
      return;
    }
    if (event.ctrlKey && event.key === 'r') {
      stop();
      setSearch('');
    } else if (event.ctrlKey && event.key === 'l') {
      stop();
      setEntries([]);
    } else if (event.ctrlKey && event.key === 'c' && window.getSelection()?.isCollapsed !== false) {
      running.current?.abort();
      setLine('');
    } else if (event.key === 'Tab' && completion.items.length > 0 && !event.shiftKey) {
      stop();
      accept(picked);
    } else if (event.key === 'ArrowRight' && completion.ghost && input.current?.selectionStart === line.length) {
      stop();
      setLine(line + completion.ghost);
    } else if (event.key === 'Escape') setListOpen(false);
    else if (listOpen && event.key === 'ArrowDown') {
      stop();
      setPicked((picked + 1) % completion.items.length);
    } else if (listOpen && event.key === 'ArrowUp' && picked > 0) {
      stop();
      setPicked(picked - 1);
    } else if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
      stop();
      setLine(history.current?.move(event.key === 'ArrowUp' ? -1 : 1, line) ?? '');
      setListOpen(false);
    } else if (event.key === 'Enter') {
      stop();
      void run(line);
    }
  };

  const found = search === null ? null : history.current.search(search);
  return (
    <div className="relative flex h-full flex-col font-mono">
      <div
        ref={log}
        role="log"
        aria-label={t('console.output')}
        tabIndex={0}
        className="min-h-0 flex-1 overflow-auto px-3 py-2 selectable"
      >
        {entries.length === 0 ? <p className="font-sans text-t3">{t('console.hint')}</p> : null}
        {entries.map((entry) => (
          <div key={entry.id} className="mb-1.5">
            <p>
              <span className="text-warn">›</span> {entry.line}
            </p>
            {entry.blocks === null ? <p className="text-t3">{t('console.running')}</p> : null}
            {entry.blocks?.map((block, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the blocks of one answer never change
              <Block key={i} block={block} line={entry.line} />
            ))}
          </div>
        ))}
      </div>
      {listOpen && completion.items.length > 0 ? (
        <div
          id={`${id}-list`}
          role="listbox"
          aria-label={t('console.completions')}
          className="absolute bottom-9 left-8 z-10 max-h-56 w-[min(480px,80%)] overflow-auto rounded-md border border-line bg-bg2 p-1 shadow-(--shadow)"
        >
          {completion.items.map((item, i) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the input handles the keys (aria-activedescendant)
            <div
              key={`${item.label} ${item.insert}`}
              id={`${id}-${i}`}
              role="option"
              aria-selected={i === picked}
              tabIndex={-1}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => accept(i)}
              className="flex min-h-6 items-center gap-3 rounded-sm px-2 aria-selected:bg-select"
            >
              <span className="w-36 shrink-0 truncate">{item.label}</span>
              <span className="truncate text-t2">{item.detail}</span>
            </div>
          ))}
        </div>
      ) : null}
      <div className="relative flex h-8 shrink-0 items-center gap-2 border-t border-line px-3">
        <span aria-hidden className="text-warn">
          ›
        </span>
        <div className="relative flex-1">
          {search === null ? (
            <>
              <span
                aria-hidden
                className="pointer-events-none absolute inset-y-0 left-0 flex items-center whitespace-pre text-t3"
              >
                <span className="invisible">{line}</span>
                {completion.ghost ?? ''}
              </span>
              <input
                ref={input}
                role="combobox"
                aria-label={t('console.input')}
                aria-expanded={listOpen}
                aria-controls={`${id}-list`}
                aria-activedescendant={listOpen ? `${id}-${picked}` : undefined}
                aria-autocomplete="both"
                autoComplete="off"
                spellCheck={false}
                value={line}
                onChange={(event) => setLine(event.target.value)}
                onKeyDown={onKeyDown}
                className="relative w-full bg-transparent py-1 outline-none selectable"
              />
            </>
          ) : (
            <input
              // biome-ignore lint/a11y/noAutofocus: Ctrl+R was pressed in the field this replaces
              autoFocus
              aria-label={t('console.search')}
              value={search}
              onChange={(event) => setSearch(event.target.value)}
              onKeyDown={onKeyDown}
              className="w-full bg-transparent py-1 outline-none selectable"
            />
          )}
        </div>
        {search === null ? null : (
          <span className={cx('truncate', found ? 'text-t1' : 'text-t3')}>{found ?? t('console.notFound')}</span>
        )}
        <span className="font-sans text-xs text-t3">{t('console.keys')}</span>
      </div>
    </div>
  );
}
