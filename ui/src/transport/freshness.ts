import { useEffect, useState } from 'react';
import { useLinkStatus } from './hooks';
import { useQuoteBook } from './live';

/** Quotes come several times a second; this long without any means that what is on screen is old. */
export const STALE_AFTER_MS = 4_000;

/** Age of the market data in milliseconds once it is too old while the line is open, else `null`. */
export function useStaleAge(): number | null {
  const book = useQuoteBook();
  const link = useLinkStatus();
  const [age, setAge] = useState<number | null>(null);
  useEffect(() => {
    const look = () => {
      const now = book.at === null ? 0 : performance.now() - book.at;
      setAge(link === 'open' && now > STALE_AFTER_MS ? now : null);
    };
    look();
    const timer = setInterval(look, 1_000);
    return () => clearInterval(timer);
  }, [book, link]);
  return age;
}
