import { expect, it } from 'vitest';
import type { FoundSymbol, Instrument } from '@/bindings';
import { merged } from './PaletteSymbols';

const known = [
  { id: 'BTC-PERP.SIM', venue: 'SIM', name: 'Bitcoin perpetual', asset_class: 'crypto', quote_currency: 'USDT' },
  { id: 'AAPL.ALPACA', venue: 'ALPACA', name: 'Apple', asset_class: 'equity', quote_currency: 'USD' },
] as Instrument[];
const found = (instrument: string, change: Partial<FoundSymbol> = {}): FoundSymbol => ({
  instrument,
  provider: 'ALPACA:iex',
  name: 'Apple Inc.',
  asset_class: 'equity',
  quote_currency: 'USD',
  known: false,
  live: false,
  ...change,
});

it('shows what is known here before anybody was asked', () => {
  expect(merged(known, []).map(({ instrument, live }) => [instrument, live])).toEqual([
    ['BTC-PERP.SIM', true],
    ['AAPL.ALPACA', false],
  ]);
});

it('tells of a known one what the search says, and lists others behind it, each once', () => {
  const all = merged(known, [
    found('AAPL.ALPACA', { known: true, live: true }),
    found('AAPL.YAHOO', { notice: 'delayed' }),
  ]);
  expect(all.map(({ instrument, live, known: here }) => [instrument, live, here])).toEqual([
    ['BTC-PERP.SIM', true, true],
    ['AAPL.ALPACA', true, true],
    ['AAPL.YAHOO', false, false],
  ]);
});
