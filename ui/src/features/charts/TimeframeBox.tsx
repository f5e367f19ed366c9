import { useTranslation } from 'react-i18next';
import { Input } from '@/kit/Field';
import { readTimeframe, timeframeLabel } from './chart.params';

/** Opens when a digit is typed over the chart: `15` Enter is fifteen minutes. */
export function TimeframeBox({
  text,
  onText,
  onDone,
}: {
  text: string;
  onText: (text: string) => void;
  onDone: (timeframe: string | null) => void;
}) {
  const { t } = useTranslation();
  const timeframe = readTimeframe(text);
  return (
    <form
      className="pop absolute top-16 left-1/2 z-20 w-48 -translate-x-1/2 rounded-md border border-line bg-bg2 p-2 shadow-(--shadow)"
      onSubmit={(event) => {
        event.preventDefault();
        onDone(timeframe);
      }}
    >
      <Input
        autoFocus
        aria-label={t('chart.timeframe')}
        value={text}
        onChange={(event) => onText(event.target.value)}
        onBlur={() => onDone(null)}
        onKeyDown={(event) => event.key === 'Escape' && onDone(null)}
        className="text-center text-lg"
      />
      <p aria-live="polite" className="mt-1 text-center text-xs text-t2">
        {timeframe ? timeframeLabel(timeframe) : t('chart.typeTimeframe')}
      </p>
    </form>
  );
}
