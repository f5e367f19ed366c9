import { CandlestickChart, ChevronDown, Maximize2, Sigma, Table2, X } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button, IconButton } from '@/kit/Button';
import { Count } from '@/kit/Chip';
import { cx } from '@/kit/cx';
import { Input } from '@/kit/Field';
import { Popover } from '@/kit/Popover';
import { useCommand } from '@/transport/hooks';
import {
  type ChartParams,
  chartParams,
  MORE_TIMEFRAMES,
  readTimeframe,
  TIMEFRAMES,
  timeframeLabel,
} from './chart.params';
import { studyTitle } from './studies';

interface ToolProps {
  params: unknown;
  setParams: (change: Partial<ChartParams>) => void;
}

/** Timeframes, indicators, table: the head of a large chart. */
export function ChartTools({ params: raw, setParams }: ToolProps) {
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
        <div className="grid grid-cols-5 gap-1">
          {MORE_TIMEFRAMES.map((timeframe) => (
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
      </Popover>
      <span aria-hidden className="mx-1 h-4 w-px bg-line" />
      <IndicatorPicker params={params} setParams={setParams} />
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

function IndicatorPicker({ params, setParams }: { params: ChartParams; setParams: ToolProps['setParams'] }) {
  const { t } = useTranslation();
  const known = useCommand('indicators.list', {}, { staleTime: Number.POSITIVE_INFINITY }).data?.indicators ?? [];
  const [filter, setFilter] = useState('');
  const [editing, setEditing] = useState<number | null>(null);
  const add = (study: string) => {
    if (!params.studies.includes(study)) setParams({ studies: [...params.studies, study] });
  };
  const shown = known.filter((each) => `${each.name} ${each.title}`.toLowerCase().includes(filter.toLowerCase()));
  return (
    <Popover
      label={t('chart.indicators')}
      className="flex max-h-[60vh] w-80 flex-col gap-2"
      trigger={
        <Button variant="ghost" size="sm">
          <CandlestickChart className="size-3.5" /> {t('chart.indicators')} <Count>{params.studies.length}</Count>
        </Button>
      }
    >
      <ul className="flex flex-col gap-1">
        {params.studies.map((study, i) => (
          <li key={study} className="flex h-7 items-center gap-1 rounded-sm bg-bg1 pr-1 pl-2">
            {editing === i ? (
              <StudyEditor
                study={study}
                onDone={(next) => {
                  setEditing(null);
                  if (next) setParams({ studies: params.studies.map((each, j) => (j === i ? next : each)) });
                }}
              />
            ) : (
              <button
                type="button"
                className="min-h-6 flex-1 text-left hover:text-accent"
                onClick={() => setEditing(i)}
              >
                {studyTitle(study)}
              </button>
            )}
            <IconButton
              label={t('chart.removeIndicator', { name: studyTitle(study) })}
              onClick={() => setParams({ studies: params.studies.filter((each) => each !== study) })}
            >
              <X />
            </IconButton>
          </li>
        ))}
      </ul>
      <Input
        aria-label={t('chart.findIndicator')}
        placeholder={t('chart.findIndicator')}
        value={filter}
        onChange={(event) => setFilter(event.target.value)}
      />
      <ul className="min-h-0 flex-1 overflow-auto">
        {shown.map((each) => (
          <li key={each.name}>
            <button
              type="button"
              className="flex min-h-7 w-full items-center gap-2 rounded-sm px-2 text-left hover:bg-select"
              onClick={() =>
                add(each.params.length ? `${each.name}(${each.params.map((p) => p.default).join(',')})` : each.name)
              }
            >
              <Sigma aria-hidden className="size-3.5 text-t3" />
              <span className="flex-1">{each.title}</span>
              <span className={cx('text-xs text-t3')}>{each.group}</span>
            </button>
          </li>
        ))}
      </ul>
    </Popover>
  );
}

function StudyEditor({ study, onDone }: { study: string; onDone: (next: string | null) => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState(study);
  return (
    <form
      className="flex-1"
      onSubmit={(event) => {
        event.preventDefault();
        onDone(/^\w+(\([\d.,\s]*\))?$/.test(text.trim()) ? text.trim().replace(/\s/g, '') : null);
      }}
    >
      <Input
        autoFocus
        className="h-6 font-mono"
        aria-label={t('chart.editIndicator')}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onBlur={() => onDone(null)}
        onKeyDown={(event) => event.key === 'Escape' && onDone(null)}
      />
    </form>
  );
}

/** Fills the window with the panel and back. */
export function MaximizeButton({ onMaximize }: { onMaximize: () => void }) {
  const { t } = useTranslation();
  return (
    <IconButton label={t('panel.maximize')} onClick={onMaximize}>
      <Maximize2 />
    </IconButton>
  );
}
