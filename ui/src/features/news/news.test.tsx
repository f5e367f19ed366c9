import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import type { NewsItem, NewsList } from '@/bindings';
import { TransportProvider } from '@/transport/hooks';
import { MockTransport } from '@/transport/MockTransport';
import { NewsPanel } from './NewsPanel';
import { linkOf, sinceOf, standingOf } from './news';

const provider = (answer: NewsList['providers'][number]['answer']) => ({ name: answer, answer });

it.each([
  [[], 'none'],
  [['fresh', 'kept', 'unasked'], 'fresh'],
  [['fresh', 'failed'], 'partly'],
  [['failed', 'failed'], 'offline'],
] as const)('providers that said %j: %s', (answers, standing) => {
  expect(standingOf({ providers: answers.map(provider) })).toBe(standing);
});

it.each(['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', 'not an address', ''])(
  '%s is not a link',
  (url) => expect(linkOf({ url })).toBeNull(),
);
it('an address of the web is a link', () =>
  expect(linkOf({ url: 'https://example.com/a' })).toBe('https://example.com/a'));

it('a window begins on a whole minute and the whole of it has no beginning', () => {
  const now = Date.parse('2026-01-05T10:00:31Z');
  expect(sinceOf('1h', now)).toBe('2026-01-05T09:00:00.000Z');
  expect(sinceOf('all', now)).toBeUndefined();
});

const item = (change: Partial<NewsItem> = {}): NewsItem => ({
  id: 'a',
  headline: 'Rates stay',
  summary: '',
  url: 'https://example.com/rates',
  source: 'example.com',
  provider: 'brave',
  symbols: ['SPY'],
  published_at: new Date(Date.now() - 120_000).toISOString(),
  approximate: false,
  fetched_at: new Date().toISOString(),
  ...change,
});

function show(answer: (args: object) => NewsList) {
  const transport = new MockTransport({ answers: { 'news.list': answer, 'news.search': answer } });
  render(
    <QueryClientProvider client={new QueryClient()}>
      <TransportProvider transport={transport}>
        <NewsPanel group="A" />
      </TransportProvider>
    </QueryClientProvider>,
  );
  return transport;
}

describe('news panel', () => {
  it('opens a headline outside and keeps what is no address from being a link', async () => {
    show(() => ({
      items: [item(), item({ id: 'b', headline: 'Run me', url: 'javascript:alert(1)' })],
      providers: [provider('fresh')],
    }));
    const link = await screen.findByRole('link', { name: /Rates stay/ });
    expect(link).toMatchObject({ target: '_blank', href: 'https://example.com/rates' });
    expect(link.getAttribute('rel')).toContain('noopener');
    expect(screen.getByText('Run me')).toBeTruthy();
    expect(screen.queryByRole('link', { name: /Run me/ })).toBeNull();
  });

  it('says that what it shows is kept when no provider answers', async () => {
    show(() => ({ items: [item()], providers: [provider('failed')] }));
    await screen.findByText(/did not answer/);
    expect(screen.getByRole('link', { name: /Rates stay/ })).toBeTruthy();
  });

  it('asks the providers for words, and only about the symbol when told so', async () => {
    const transport = show(() => ({ items: [], providers: [provider('fresh')] }));
    await userEvent.type(await screen.findByRole('searchbox'), 'inflation{Enter}');
    await userEvent.click(screen.getByRole('switch'));
    await screen.findByText(/Nothing was found/);
    const asked = transport.calls.filter(({ command }) => command === 'news.search').at(-1)?.args;
    expect(asked).toMatchObject({ text: 'inflation', symbol: 'BTC-PERP.SIM' });
  });
});
