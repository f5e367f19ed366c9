import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import * as fmt from '@/lib/format';
import { CLOSE, HIGH, LOW, OPEN, TIME } from './candleStore';
import type { ChartController } from './controller';

/**
 * The chart in a sentence, for a screen reader: written anew every ten seconds, and at once when a candle is read or other
 * candles are shown.
 */
export function ChartSummary({ chart, title, decimals }: { chart: ChartController; title: string; decimals: number }) {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  useEffect(() => {
    const describe = () => {
      const { rows } = chart;
      if (rows === 0) return setText('');
      const from = Math.max(0, rows - 100);
      let low = Number.POSITIVE_INFINITY;
      let high = Number.NEGATIVE_INFINITY;
      for (let i = from; i < rows; i++) {
        low = Math.min(low, chart.value(LOW, i));
        high = Math.max(high, chart.value(HIGH, i));
      }
      const row = chart.readingRow;
      setText(
        chart.hovering
          ? t('chart.reading', {
              time: fmt.dateTime(chart.value(TIME, row) * 1000),
              open: fmt.price(chart.value(OPEN, row), decimals),
              high: fmt.price(chart.value(HIGH, row), decimals),
              low: fmt.price(chart.value(LOW, row), decimals),
              close: fmt.price(chart.value(CLOSE, row), decimals),
            })
          : t('chart.summary', {
              title,
              count: rows - from,
              close: fmt.price(chart.value(CLOSE, rows - 1), decimals),
              low: fmt.price(low, decimals),
              high: fmt.price(high, decimals),
            }),
      );
    };
    // The chart is told of another symbol after this.
    queueMicrotask(describe);
    let { store } = chart;
    const stop = chart.watchView(() => {
      if (chart.store === store) return;
      store = chart.store;
      describe();
    });
    const timer = setInterval(describe, chart.hovering ? 1_000 : 10_000);
    return () => {
      clearInterval(timer);
      stop();
    };
  }, [chart, title, decimals, t]);
  return <p className="sr-only">{text}</p>;
}
