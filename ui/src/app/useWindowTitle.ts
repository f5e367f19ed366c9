import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import * as fmt from '@/lib/format';
import { useLinks } from '@/lib/links';
import { useInstrument } from '@/transport/instruments';
import { useQuoteBook } from '@/transport/live';

const EVERY_MS = 1_000;

/** Symbol and price in the window's title, at most once a second. */
export function useWindowTitle(): void {
  const { t } = useTranslation();
  const book = useQuoteBook();
  const instrument = useInstrument(useLinks((s) => s.instrument.A));
  useEffect(() => {
    if (!instrument) return;
    const write = () => {
      const quote = book.get(instrument.id);
      if (quote)
        document.title = t('app.title', {
          symbol: instrument.symbol,
          price: fmt.price(quote.last, instrument.price_decimals),
        });
    };
    write();
    const timer = setInterval(write, EVERY_MS);
    return () => clearInterval(timer);
  }, [book, instrument, t]);
}
