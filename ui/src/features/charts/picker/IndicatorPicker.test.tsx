import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { beforeEach, describe, expect, it } from 'vitest';
import { TipProvider } from '@/kit/Tip';
import { useUi } from '@/lib/ui';
import { TransportProvider } from '@/transport/hooks';
import { MockTransport } from '@/transport/MockTransport';
import { type ChartParams, chartParams } from '../chart.params';
import { KNOWN } from '../study.fixtures';
import { IndicatorPicker } from './IndicatorPicker';

/** The engine that knows one mistake: `emma`. */
const transport = () =>
  new MockTransport({
    answers: {
      'indicators.list': () => ({ indicators: KNOWN }),
      'expressions.check': ({ text }) => {
        const start = text.indexOf('emma');
        return start < 0
          ? { ok: true, type: 'number' }
          : { ok: false, error: { message: 'there is no function `emma`', start, end: start + 4, hint: 'ema' } };
      },
      'expressions.complete': () => ({ items: [], start: 0, end: 0 }),
    },
  });

function Chart({ texts }: { texts: string[] }) {
  const [params, setParams] = useState<ChartParams>(chartParams({ studies: texts }));
  return (
    <>
      <IndicatorPicker
        panelId="chart"
        studies={params.studies}
        setParams={(change) => setParams((old) => ({ ...old, ...change }))}
      />
      <output>{JSON.stringify(params.studies)}</output>
    </>
  );
}

function open(texts: string[] = []) {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <TransportProvider transport={transport()}>
        <TipProvider>
          <Chart texts={texts} />
        </TipProvider>
      </TransportProvider>
    </QueryClientProvider>,
  );
  return userEvent.setup({ delay: null });
}
const studies = () => JSON.parse(screen.getByRole('status').textContent ?? '[]') as { text: string }[];
const texts = () => studies().map((study) => study.text);

describe('indicator picker', () => {
  beforeEach(() => useUi.setState({ picker: null }));

  it('adds, edits and removes an indicator without the mouse', async () => {
    const user = open();
    await user.tab();
    await user.keyboard('{Enter}');
    const search = await screen.findByRole('combobox', { name: 'Find an indicator' });
    expect(document.activeElement).toBe(search);
    await screen.findByRole('option', { name: /Bollinger/ });
    await user.keyboard('boll{Enter}');
    expect(texts()).toEqual(['bb(20,2)']);
    const length = await screen.findByRole('textbox', { name: 'length' });
    await waitFor(() => expect(document.activeElement).toBe(length));

    await user.keyboard('{ArrowUp}{Shift>}{ArrowUp}{/Shift}');
    expect(texts()).toEqual(['bb(31,2)']);
    await user.clear(length);
    expect(texts(), 'no number is no reason to draw something else').toEqual(['bb(31,2)']);
    await user.type(length, '99999');
    expect(texts(), 'the last number in the range stands').toEqual(['bb(999,2)']);
    expect(screen.getByText('From 1 to 5000')).toBeTruthy();

    await user.keyboard('{Escape}');
    expect(document.activeElement).toBe(search);
    await user.keyboard('{Delete}');
    expect(texts()).toEqual([]);
    await user.keyboard('{Escape}');
    await waitFor(() => expect(screen.queryByRole('combobox')).toBeNull());
  });

  it('shows an indicator that is already there instead of adding it twice', async () => {
    const user = open(['rsi(14)']);
    await user.click(screen.getByRole('button', { name: /Indicators/ }));
    await screen.findByRole('option', { name: /Bollinger/ });
    await user.keyboard('relative{Enter}');
    expect(texts()).toEqual(['rsi(14)']);
    expect(await screen.findByRole('textbox', { name: 'length' })).toHaveProperty('value', '14');
  });

  it('draws an expression at Enter, and points at the place of a mistake', async () => {
    const user = open();
    await user.click(screen.getByRole('button', { name: /Indicators/ }));
    await screen.findByRole('option', { name: /Bollinger/ });
    await user.keyboard('close - emma(5)');
    await waitFor(() => expect(document.querySelector('pre')?.textContent).toContain('        ^^^^\n'));
    await user.keyboard('{Enter}');
    const field = screen.getByRole('textbox', { name: /Expression/ });
    expect(document.activeElement).toBe(field);
    await user.keyboard('{Enter}');
    expect(texts()).toEqual([]);
    await user.clear(field);
    await user.type(field, 'close - ema(5)');
    await screen.findByText(/Enter draws it/);
    await user.keyboard('{Enter}');
    await waitFor(() => expect(texts()).toEqual(['close-ema(5)']));
  });

  it('opens at the study that was asked for, with its colour and its place', async () => {
    const user = open(['ema(21)', 'obv']);
    useUi.getState().pickIndicators('chart', 0);
    await screen.findByRole('heading', { name: 'Exponential moving average' });
    await user.click(screen.getByRole('radio', { name: 'Pink' }));
    await user.click(screen.getByRole('radio', { name: 'Own pane' }));
    await user.click(screen.getByRole('button', { name: 'Hide EMA 21' }));
    await user.click(screen.getByRole('button', { name: 'Move EMA 21 down' }));
    expect(studies()).toEqual([{ text: 'obv' }, { text: 'ema(21)', color: 'group-d', place: 'own', hidden: true }]);
  });
});
