import { useQueryClient } from '@tanstack/react-query';
import { Command } from 'cmdk';
import { ChartCandlestick, CirclePlus } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FoundSymbol } from '@/bindings';
import { Chip } from '@/kit/Chip';
import { toast } from '@/kit/toasts';
import { useAction, useCommand } from '@/transport/hooks';
import type { Instrument } from '@/transport/types';

/** As long as one types, nobody is asked. */
const PAUSE_MS = 200;
const MOST = 30;

/** The text as it was when the typing paused. */
export function usePaused(text: string): string {
  const [paused, setPaused] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setPaused(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return paused;
}

/** What is known here, each with what the search says of it, and behind it what others offer. */
export function merged(known: readonly Instrument[], found: readonly FoundSymbol[]): FoundSymbol[] {
  const said = new Map(found.map((symbol) => [symbol.instrument, symbol]));
  const here = known.map(
    ({ id, venue, name, asset_class, quote_currency }): FoundSymbol =>
      said.get(id) ?? {
        instrument: id,
        provider: venue,
        name,
        asset_class,
        quote_currency,
        known: true,
        live: venue === 'SIM',
      },
  );
  const ids = new Set(known.map(({ id }) => id));
  return [...here, ...found.filter(({ instrument }) => !ids.has(instrument))];
}

/** Symbols of every provider that knows the words: who gives the data, what to know about it, and whether it is followed. */
export function PaletteSymbols({
  words,
  className,
  heading,
  known,
  onChoose,
}: {
  words: string;
  /** Of a row and of the group. */
  className: { row: string; group: string };
  heading: string;
  /** What is on the list of instruments; it is there before anybody is asked. */
  known: readonly Instrument[];
  onChoose: (instrument: string) => void;
}) {
  const { t } = useTranslation();
  const text = usePaused(words.trim());
  const queries = useQueryClient();
  const add = useAction('symbols.add');
  const query = useCommand(
    'symbols.search',
    { text, limit: MOST },
    { enabled: text.length > 0, staleTime: 30_000, placeholderData: (old) => old },
  );
  const found = merged(known, text.length > 0 ? (query.data?.symbols ?? []) : []);
  const unavailable = query.data?.unavailable ?? [];
  const choose = (symbol: FoundSymbol) => {
    if (symbol.known) {
      onChoose(symbol.instrument);
      return;
    }
    add.mutate(
      {
        instrument: symbol.instrument,
        name: symbol.name,
        asset_class: symbol.asset_class,
        quote_currency: symbol.quote_currency,
      },
      {
        onSuccess: () => {
          void queries.invalidateQueries({ queryKey: ['symbols.list'] });
          onChoose(symbol.instrument);
        },
        onError: (error) =>
          toast({ tone: 'crit', title: t('palette.addFailed', { symbol: symbol.instrument }), detail: error.message }),
      },
    );
  };
  if (found.length === 0 && unavailable.length === 0) return null;
  return (
    <Command.Group heading={heading} className={className.group}>
      {found.map((symbol) => (
        <Command.Item
          key={symbol.instrument}
          value={`${symbol.instrument} ${symbol.name}`}
          onSelect={() => choose(symbol)}
          className={className.row}
        >
          {symbol.known ? <ChartCandlestick aria-hidden /> : <CirclePlus aria-hidden />}
          <span className="shrink-0">{symbol.instrument.replace(/\.[^.]*$/, '')}</span>
          <span className="min-w-0 truncate text-xs text-t2">{symbol.name}</span>
          <span className="flex-1" />
          {symbol.notice ? (
            <span title={symbol.notice} className="inline-flex">
              <Chip tone="warn">{t(`honesty.notice.${/delay/i.test(symbol.notice) ? 'delayed' : 'notice'}`)}</Chip>
            </span>
          ) : null}
          <Chip>{symbol.provider}</Chip>
          <span className="w-20 shrink-0 text-right text-xs text-t2">
            {t(symbol.known ? (symbol.live ? 'palette.followed' : 'palette.stored') : 'palette.add')}
          </span>
        </Command.Item>
      ))}
      {unavailable.map(({ venue, reason }) => (
        <p key={venue} className="px-4 py-1 text-xs text-warn">
          {t('palette.notAsked', { venue, reason })}
        </p>
      ))}
    </Command.Group>
  );
}
