import { ChevronDown, Table2 } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button, IconButton } from '@/kit/Button';
import { Input } from '@/kit/Field';
import { Popover } from '@/kit/Popover';
import {
  type ChartParams,
  chartParams,
  MORE_TIMEFRAMES,
  readTimeframe,
  TIMEFRAMES,
  TRADE_CANDLES,
  timeframeLabel,
} from './chart.params';
import { LayerMenu } from './LayerMenu';
import { IndicatorPicker } from './picker/IndicatorPicker';

interface ToolProps {
  panelId: string;
  params: unknown;
  setParams: (change: Partial<ChartParams>) => void;
}

/** Timeframes, indicators, table: the head of a large chart. */
export function ChartTools({ panelId, params: raw, setParams }: ToolProps) {
  const { t } = useTranslation();
  const params = chartParams(raw);
  const [typed, setTyped] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const timeframe = readTimeframe(typed);
    if (timeframe) setParams({ timeframe });
    setTyped('');
  };
  const listed: string[] = [...TIMEFRAMES];
  if (!listed.includes(params.timeframe)) listed.push(params.timeframe);
  return (
    <div className="flex h-full min-w-0 items-center gap-1 pl-1">
      <span aria-hidden className="mx-1 h-4 w-px bg-line" />
      <div role="group" aria-label={t('chart.timeframe')} className="flex">
        {listed.map((timeframe) => (
          <button
            key={timeframe}
            type="button"
            aria-pressed={timeframe === params.timeframe}
            onClick={() => setParams({ timeframe })}
            className="h-6 min-w-6 rounded-sm px-1.5 text-t2 hover:bg-bg3 hover:text-t1 aria-pressed:bg-select aria-pressed:font-medium aria-pressed:text-accent"
          >
            {timeframeLabel(timeframe)}
          </button>
        ))}
      </div>
      <Popover
        label={t('chart.timeframe')}
        className="w-56"
        trigger={
          <IconButton label={t('chart.moreTimeframes')}>
            <ChevronDown />
          </IconButton>
        }
      >
        <form onSubmit={submit} className="mb-2">
          <Input
            aria-label={t('chart.typeTimeframe')}
            placeholder={t('chart.typeTimeframe')}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        </form>
        {[
          { label: t('chart.byTime'), timeframes: MORE_TIMEFRAMES },
          { label: t('chart.byTrades'), timeframes: TRADE_CANDLES },
        ].map(({ label, timeframes }) => (
          <div key={label} role="group" aria-label={label}>
            <p aria-hidden className="mt-1 text-xs text-t2">
              {label}
            </p>
            <div className="grid grid-cols-5 gap-1">
              {timeframes.map((timeframe) => (
                <Button
                  key={timeframe}
                  size="sm"
                  variant="ghost"
                  aria-pressed={timeframe === params.timeframe}
                  onClick={() => setParams({ timeframe })}
                >
                  {timeframeLabel(timeframe)}
                </Button>
              ))}
            </div>
          </div>
        ))}
        <p className="mt-1 text-xs text-t2">{t('chart.otherCandles')}</p>
      </Popover>
      <span aria-hidden className="mx-1 h-4 w-px bg-line" />
      <IndicatorPicker panelId={panelId} studies={params.studies} setParams={setParams} />
      <LayerMenu layers={params.layers} onChange={(layers) => setParams({ layers })} />
      <IconButton
        label={t('chart.showTable')}
        shortcut="Alt+T"
        aria-pressed={params.table}
        onClick={() => setParams({ table: !params.table })}
      >
        <Table2 />
      </IconButton>
    </div>
  );
}
