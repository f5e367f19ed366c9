import type { Connection, Coverage, ProvenanceSegment } from '@/bindings';
import type { CommandMap } from '@/transport/types';

const MINUTE = 60_000;
const DAY = 86_400_000;

type Answers = { [C in keyof CommandMap]?: (args: CommandMap[C][0]) => CommandMap[C][1] };

/** Where data comes from, with something of everything: a venue that is well, one behind, one down, gaps, refusals. */
export function sourceAnswers(start: number): Answers {
  const ago = (milliseconds: number) => new Date(Date.now() - milliseconds).toISOString();
  const connection = (change: Partial<Connection> & Pick<Connection, 'name' | 'kind' | 'state'>): Connection => ({
    venue: change.name,
    since: new Date(start * 1000 - 2 * DAY).toISOString(),
    reconnects: 0,
    subscriptions: 0,
    events: 0,
    breaker: 'closed',
    quarantined: 0,
    pacing: 'real_time',
    capabilities: {
      trades: true,
      quotes: true,
      streams_candles: true,
      dense: true,
      needs_credentials: true,
      finest_candle: '1m',
      max_candles: 1_000,
    },
    ...change,
  });
  const connections = (): Connection[] => [
    connection({
      name: 'SIM',
      kind: 'simulated',
      state: 'open',
      subscriptions: 25,
      last_message_age_s: 0.1,
      pacing: 'simulated',
      events: 120_412,
    }),
    connection({
      name: 'ASTER',
      kind: 'websocket',
      state: 'open',
      subscriptions: 38,
      last_message_age_s: 0.1,
      events: 1_204_112,
      budget_left: 2_310,
      budget_limit: 2_400,
      clock_offset_ms: 4,
    }),
    connection({
      name: 'ALPACA',
      kind: 'websocket',
      state: 'open',
      subscriptions: 24,
      last_message_age_s: 0.3,
      reconnects: 1,
      events: 88_120,
      budget_left: 31,
      budget_limit: 200,
      clock_offset_ms: -12,
      quarantined: 3,
      last_quarantine: 'high below low: {"o":"228.10","h":"227.9"',
    }),
    connection({
      name: 'OANDA',
      kind: 'websocket',
      state: 'retrying',
      since: ago(14_000),
      subscriptions: 9,
      last_message_age_s: 14,
      reconnects: 2,
      events: 4_021,
      breaker: 'half_open',
      budget_left: 118,
      budget_limit: 120,
      clock_offset_ms: 1_240,
      detail: 'The stream ended; the next attempt is in 6 s',
      last_error: 'no heartbeat for 10 s',
      last_error_at: ago(14_000),
    }),
    connection({
      name: 'YAHOO',
      kind: 'http',
      state: 'open',
      subscriptions: 2,
      last_message_age_s: 42,
      pacing: 'delayed',
      events: 212,
      budget_left: 55,
      budget_limit: 60,
      notice: 'Unofficial interface; quotes are delayed by up to 15 minutes.',
    }),
    connection({
      name: 'POLYGON',
      kind: 'websocket',
      state: 'closed',
      last_error: 'The key was refused (401)',
      last_error_at: ago(3_600_000),
      breaker: 'open',
      budget_left: 5,
      budget_limit: 5,
    }),
  ];
  const series = (
    instrument: string,
    timeframe: string,
    days: number,
    candles: number,
    more: Partial<Coverage> = {},
  ): Coverage => ({
    instrument,
    timeframe,
    first: ago(days * DAY),
    last: ago(5 * MINUTE),
    candles,
    gap_count: 0,
    ranges: [{ from: ago(days * DAY), to: ago(5 * MINUTE), provider: 'ALPACA:iex' }],
    gaps: [],
    ...more,
  });
  const coverage = (): Coverage[] => [
    series('AAPL.ALPACA', '1m', 30, 11_412, {
      gap_count: 2,
      gaps: [
        { from: ago(12 * DAY), to: ago(11 * DAY), missing: 390, reason: 'not_fetched' },
        { from: ago(4 * DAY), to: ago(3.9 * DAY), missing: 24, reason: 'lost' },
      ],
    }),
    series('AAPL.ALPACA', '1d', 730, 502),
    series('BTCUSDT.ASTER', '1h', 400, 9_590, {
      ranges: [{ from: ago(420 * DAY), to: ago(MINUTE), provider: 'ASTER' }],
    }),
    series('CRYPTO_BTCPERP.FILE', '1m', 31, 45_031, { ranges: [] }),
  ];
  const segments = (from: number, to: number): ProvenanceSegment[] => {
    const kinds = ['imported', 'backfilled', 'streamed', 'gap', 'backfilled', 'revised', 'streamed'] as const;
    const shares = [0, 0.3, 0.78, 0.86, 0.875, 0.93, 0.94, 1];
    const at = (share = 1) => new Date(from + (to - from) * share).toISOString();
    return kinds.map((kind, i) => ({
      kind,
      from: at(shares[i]),
      to: at(shares[i + 1]),
      candles: 10 + i,
      ...(kind === 'gap'
        ? { reason: 'the venue had nothing' }
        : { provider: kind === 'imported' ? 'FILE' : 'ALPACA:iex' }),
    }));
  };
  const news = () => ({
    items: [
      [
        'Bitcoin holds above its average as funding cools',
        'coindesk.com',
        'brave',
        4,
        'Perpetual funding fell to its lowest in a week while open interest stayed flat.',
      ],
      [
        'Federal Reserve minutes point to a slower pace',
        'reuters.com',
        'brave',
        38,
        'Officials saw little need to hurry.',
      ],
      ['Apple supplier raises its outlook', 'benzinga', 'alpaca', 95, ''],
      ['Gold steady ahead of payrolls', 'marketwatch.com', 'brave', 210, 'Traders wait for the report on Friday.'],
    ].map(([headline, source, provider, minutes, summary], i) => ({
      id: `n${i}`,
      headline: String(headline),
      summary: String(summary),
      url: `https://${source}/story-${i}`,
      source: String(source),
      provider: String(provider),
      symbols: i === 2 ? ['AAPL'] : i === 0 ? ['BTCUSD'] : [],
      published_at: ago(Number(minutes) * MINUTE),
      approximate: i === 3,
      fetched_at: ago(MINUTE),
    })),
    providers: [
      { name: 'brave', answer: 'fresh' as const, answered_at: ago(20_000) },
      { name: 'alpaca', answer: 'failed' as const, answered_at: ago(40 * MINUTE), problem: 'no answer for 10 s' },
    ],
  });
  return {
    'connections.list': () => ({ connections: connections() }),
    'data.coverage': () => ({ coverage: coverage() }),
    'data.provenance': ({ instrument, timeframe, from }) => {
      const all = segments(from ? Date.parse(from) : Date.now() - 30 * DAY, Date.now());
      const real = instrument.startsWith('ETH');
      return {
        instrument,
        timeframe,
        provider: real ? 'YAHOO' : 'ALPACA:iex',
        freshness: real ? 'delayed' : 'live',
        adjustment: 'raw',
        ...(real ? { notice: 'Unofficial interface; quotes are delayed by up to 15 minutes.' } : {}),
        last_update: ago(400),
        gap_count: 1,
        revised_count: 15,
        segments: all,
      };
    },
    'data.gaps': () => ({
      total: 2,
      gaps: [
        {
          venue: 'OANDA',
          instrument: 'EUR_USD.OANDA',
          from: ago(14_000),
          state: 'open',
          reason: 'no heartbeat for 10 s',
          candles: 0,
          noted_at: ago(14_000),
        },
        {
          venue: 'OANDA',
          instrument: 'EUR_USD.OANDA',
          from: ago(2 * 3_600_000),
          to: ago(118 * MINUTE),
          state: 'backfilled',
          reason: 'the socket was closed',
          candles: 2,
          noted_at: ago(118 * MINUTE),
        },
      ],
    }),
    'data.quarantine': ({ provider }) => ({
      total: provider === 'ALPACA' ? 3 : 0,
      rows:
        provider === 'ALPACA'
          ? [
              {
                time: ago(30_000),
                first_time: ago(400_000),
                provider: 'ALPACA',
                reason: 'high below low',
                text: '{"T":"b","S":"AAPL","o":"228.10","h":"227.9","l":"228.0"',
                count: 3,
              },
            ]
          : [],
    }),
    'news.list': () => news(),
    'news.search': () => news(),
    'symbols.search': ({ text }) => ({
      symbols: [
        {
          instrument: 'AAPL.ALPACA',
          provider: 'ALPACA:iex',
          name: 'Apple Inc.',
          asset_class: 'equity',
          quote_currency: 'USD',
          known: true,
          live: true,
        },
        {
          instrument: 'AAPL.YAHOO',
          provider: 'YAHOO',
          name: 'Apple Inc.',
          asset_class: 'equity',
          quote_currency: 'USD',
          known: false,
          live: false,
          notice: 'Unofficial interface; quotes are delayed by up to 15 minutes.',
        },
      ].filter((each) => `${each.instrument} ${each.name}`.toLowerCase().includes(text.toLowerCase())) as never,
      unavailable: [{ venue: 'POLYGON', reason: 'The key was refused (401)' }],
    }),
  };
}
