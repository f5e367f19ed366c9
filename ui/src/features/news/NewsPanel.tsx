import { ExternalLink, Newspaper, Search } from 'lucide-react';
import { type FormEvent, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { NewsItem, NewsList, NewsProvider } from '@/bindings';
import { Chip } from '@/kit/Chip';
import { Segments } from '@/kit/Segments';
import { type Status, StatusDot } from '@/kit/StatusDot';
import { EmptyState } from '@/kit/states';
import { Toggle } from '@/kit/Toggle';
import { Answered } from '@/lib/Answered';
import * as fmt from '@/lib/format';
import { type Group, useLinks } from '@/lib/links';
import { useCommand } from '@/transport/hooks';
import { symbolOf } from '@/transport/instruments';
import { linkOf, sinceOf, standingOf, WINDOWS, type Window } from './news';

const MOST = 50;
const AGAIN_MS = 60_000;

/** The minute it is, for ages and for where a window begins. */
function useMinute(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** What was published: about the symbol of the group or about words, not older than a window. */
export function NewsPanel({ group }: { group: Group }) {
  const { t } = useTranslation();
  const instrument = useLinks((s) => s.instrument[group]);
  const now = useMinute();
  const [typed, setTyped] = useState('');
  const [text, setText] = useState('');
  const [window, setWindow] = useState<Window>('24h');
  const [own, setOwn] = useState(false);
  const since = sinceOf(window, now);
  const filter = { ...(own ? { symbol: instrument } : {}), ...(since ? { since } : {}), limit: MOST };
  const keep = { placeholderData: (old: NewsList | undefined) => old, refetchInterval: AGAIN_MS };
  const listed = useCommand('news.list', filter, { enabled: text === '', ...keep });
  const found = useCommand('news.search', { text, ...filter }, { enabled: text !== '', ...keep });
  const query = text === '' ? listed : found;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setText(typed.trim());
  };
  return (
    <div className="flex h-full flex-col">
      <form
        onSubmit={submit}
        className="flex shrink-0 flex-wrap items-center gap-x-2 gap-y-1 border-b border-line px-2.5 py-1"
      >
        <Search aria-hidden className="size-3.5 text-t3" />
        <input
          type="search"
          aria-label={t('news.search')}
          placeholder={t('news.search')}
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            if (event.target.value === '') setText('');
          }}
          className="h-6 min-w-28 flex-1 rounded-sm border border-ctl bg-bg0 px-2 selectable"
        />
        <Segments
          label={t('news.window')}
          value={window}
          options={WINDOWS.map((value) => ({ value, label: t(`news.windowName.${value}`) }))}
          onChange={setWindow}
        />
        <Toggle label={t('news.only', { symbol: symbolOf(instrument) })} checked={own} onChange={setOwn} />
      </form>
      <div className="min-h-0 flex-1">
        <Answered query={query} rows={8}>
          {(list) => <Found list={list} now={now} busy={query.isFetching} searched={text} />}
        </Answered>
      </div>
    </div>
  );
}

function Found({ list, now, busy, searched }: { list: NewsList; now: number; busy: boolean; searched: string }) {
  const { t } = useTranslation();
  const standing = standingOf(list);
  return (
    <div className="flex h-full flex-col" aria-busy={busy}>
      {standing === 'offline' || standing === 'partly' ? (
        <p role="status" data-state="stale" className="shrink-0 bg-warn/10 px-2.5 py-1 text-xs text-warn">
          {t(`news.${standing}`)}
        </p>
      ) : null}
      {list.items.length === 0 ? (
        <div className="min-h-0 flex-1">
          <EmptyState icon={<Newspaper />} title={t(standing === 'none' ? 'news.noProvider' : 'news.empty')}>
            {t(standing === 'none' ? 'news.noProviderText' : searched ? 'news.emptySearch' : 'news.emptyText')}
          </EmptyState>
        </div>
      ) : (
        <ul aria-label={t('panel.news')} tabIndex={0} className="min-h-0 flex-1 overflow-auto">
          {list.items.map((item) => (
            <Item key={item.id} item={item} now={now} />
          ))}
        </ul>
      )}
      {list.providers.length ? (
        <ul
          aria-label={t('news.providers')}
          className="flex h-6 shrink-0 items-center gap-4 overflow-hidden border-t border-line px-2.5 text-xs whitespace-nowrap text-t2"
        >
          {list.providers.map((provider) => (
            <Provider key={provider.name} provider={provider} now={now} />
          ))}
        </ul>
      ) : null}
    </div>
  );
}

/** A headline with who wrote it, who told us, and how old it is. */
function Item({ item, now }: { item: NewsItem; now: number }) {
  const { t } = useTranslation();
  const link = linkOf(item);
  const age = fmt.age(now - Date.parse(item.published_at));
  return (
    <li className="border-b border-line/60 px-2.5 py-1.5 hover:bg-bg2">
      <div className="flex items-baseline gap-2">
        {link ? (
          <a
            href={link}
            target="_blank"
            rel="noreferrer noopener"
            title={t('news.opens', { url: link })}
            className="group/link min-w-0 flex-1 font-medium text-t1 hover:text-accent"
          >
            {item.headline} <ExternalLink aria-hidden className="inline size-3 text-t3 group-hover/link:text-accent" />
            <span className="sr-only">{t('news.outside')}</span>
          </a>
        ) : (
          <span className="min-w-0 flex-1 font-medium">{item.headline}</span>
        )}
        <time
          dateTime={item.published_at}
          title={fmt.dateFull(item.published_at)}
          className="shrink-0 text-xs text-t2 live"
        >
          {item.approximate ? t('news.about', { age }) : age}
        </time>
      </div>
      {item.summary ? <p className="mt-0.5 line-clamp-2 text-t2 selectable">{item.summary}</p> : null}
      <div className="mt-1 flex flex-wrap items-center gap-1.5 text-xs text-t3">
        <span>{t('news.by', { source: item.source, provider: item.provider })}</span>
        {item.symbols.slice(0, 6).map((symbol) => (
          <Chip key={symbol}>{symbol}</Chip>
        ))}
      </div>
    </li>
  );
}

const STATUS: Record<NewsProvider['answer'], Status> = { fresh: 'ok', kept: 'ok', failed: 'down', unasked: 'off' };

function Provider({ provider, now }: { provider: NewsProvider; now: number }) {
  const { t } = useTranslation();
  const { name, answer, answered_at: at, problem } = provider;
  return (
    <li className="flex items-center gap-1.5" title={problem}>
      <StatusDot status={STATUS[answer]} /> {name}
      <span className={answer === 'failed' ? 'text-warn' : 'text-t3'}>
        {t(`news.answer.${answer}`)}
        {at ? ` · ${fmt.age(Math.max(0, now - Date.parse(at)))}` : ''}
      </span>
    </li>
  );
}
