import { ChartLine, ChevronLeft } from 'lucide-react';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/kit/Button';
import { Count } from '@/kit/Chip';
import { cx } from '@/kit/cx';
import { Input } from '@/kit/Field';
import { Popover } from '@/kit/Popover';
import { ErrorState } from '@/kit/states';
import { useUi } from '@/lib/ui';
import { useCommand } from '@/transport/hooks';
import type { ChartParams } from '../chart.params';
import { defaultStudy, type Study } from '../study';
import { ExpressionForm } from './ExpressionForm';
import { IndicatorDetail } from './IndicatorDetail';
import { OptionList } from './OptionList';
import { groupsOf, type Option, optionsOf, rowsFor } from './options';
import { StudyDetail } from './StudyDetail';
import { useGroupName } from './useGroupName';
import { useStudies } from './useStudies';

/** The button in the head of a chart, and what it opens: the chart's studies and all that could be added. */
export function IndicatorPicker({
  panelId,
  studies,
  setParams,
}: {
  panelId: string;
  studies: Study[];
  setParams: (change: Partial<ChartParams>) => void;
}) {
  const { t } = useTranslation();
  const picker = useUi((s) => s.picker);
  const { pickIndicators, closePicker } = useUi.getState();
  const open = picker?.panel === panelId;
  // Where the focus was when it was asked for: from then on the dock and the popover move it.
  const before = useRef<Element | null>(null);
  const asked = useRef(false);
  if (picker && !asked.current) before.current = document.activeElement;
  asked.current = picker !== null;
  return (
    <Popover
      label={t('chart.indicators')}
      align="end"
      open={open}
      onOpenChange={(next) => (next ? pickIndicators(panelId) : closePicker())}
      onEscape={(event) => {
        const from = event.target instanceof HTMLElement ? event.target : null;
        const search = from?.closest('[data-detail]')?.parentElement?.querySelector<HTMLElement>('[role=combobox]');
        // Proposals that are open close first; from the details it leads back to the search.
        const proposing = from?.hasAttribute('aria-controls') && from.tagName === 'TEXTAREA';
        if (search || proposing) event.preventDefault();
        if (!proposing) search?.focus();
      }}
      onClosed={(event) => {
        // Opened by a key over the chart, it gives the focus back there.
        const from = before.current;
        if (from instanceof HTMLElement && from !== document.body && from.isConnected) {
          event.preventDefault();
          from.focus();
        }
      }}
      className="overflow-hidden p-0!"
      trigger={
        <Button variant="ghost" size="sm">
          <ChartLine className="size-3.5" /> {t('chart.indicators')} <Count>{studies.length}</Count>
        </Button>
      }
    >
      {open ? <Body key={String(picker.study)} studies={studies} setParams={setParams} study={picker.study} /> : null}
    </Popover>
  );
}

function Body({
  studies,
  setParams,
  study,
}: {
  studies: Study[];
  setParams: (change: Partial<ChartParams>) => void;
  study: number | null;
}) {
  const { t } = useTranslation();
  const id = useId();
  const groupName = useGroupName();
  const query = useCommand('indicators.list', {}, { staleTime: Number.POSITIVE_INFINITY });
  const known = query.data?.indicators ?? [];
  const actions = useStudies(studies, setParams);
  const [text, setText] = useState('');
  const [group, setGroup] = useState<string | null>(null);
  const [at, setAt] = useState<string | null>(study === null ? null : `study:${study}`);
  const [wide, setWide] = useState(study === null);
  const detail = useRef<HTMLDivElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const [enter, setEnter] = useState(study === null ? 0 : 1);

  const rows = rowsFor(text, group, studies, known);
  const options = optionsOf(rows);
  const current =
    options.find((option) => option.id === at) ?? options.find(({ kind }) => kind === 'indicator') ?? options[0];

  // The detail that a key or a click led into is only drawn after it.
  useEffect(() => {
    const find = (what: string) => detail.current?.querySelector<HTMLElement>(what);
    if (enter) (find('input, textarea') ?? find('button'))?.focus();
  }, [enter]);

  const take = (option: Option) => {
    if (option.kind === 'indicator') {
      setText('');
      setGroup(null);
      setAt(`study:${actions.add(defaultStudy(option.info))}`);
    } else setAt(option.id);
    setEnter((n) => n + 1);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const index = current ? options.indexOf(current) : -1;
    const jumps: Record<string, number> = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      PageDown: index + 10,
      PageUp: index - 10,
    };
    const to = jumps[event.key];
    if (to !== undefined) setAt(options[Math.max(0, Math.min(options.length - 1, to))]?.id ?? null);
    else if (event.key === 'Enter' && current) take(current);
    else if (event.key === 'Delete' && text === '' && current?.kind === 'study') actions.remove(current.index);
    else return;
    event.preventDefault();
  };
  const toList = () => {
    setWide(true);
    requestAnimationFrame(() => search.current?.focus());
  };

  return (
    <div className={cx('flex h-[430px] max-h-[70vh]', wide ? 'w-[640px] max-w-[92vw]' : 'h-auto! w-[340px]')}>
      {wide ? (
        <div className="flex w-[270px] shrink-0 flex-col border-r border-line">
          <div className="border-b border-line p-2">
            <Input
              ref={search}
              autoFocus={study === null}
              role="combobox"
              aria-expanded
              aria-controls={`${id}-list`}
              aria-activedescendant={current ? `${id}-list-${current.id}` : undefined}
              aria-label={t('chart.findIndicator')}
              placeholder={t('picker.search')}
              value={text}
              onChange={(event) => {
                setText(event.target.value);
                setAt(null);
              }}
              onKeyDown={onKeyDown}
            />
            <div role="group" aria-label={t('picker.group')} className="-mb-0.5 mt-1.5 flex flex-wrap gap-0.5">
              {groupsOf(known).map((name) => (
                <button
                  key={name}
                  type="button"
                  aria-pressed={group === name}
                  onClick={() => {
                    setGroup(group === name ? null : name);
                    setAt(null);
                  }}
                  className="h-6 rounded-sm px-1.5 text-xs text-t2 hover:bg-bg3 hover:text-t1 aria-pressed:bg-select aria-pressed:text-accent"
                >
                  {groupName(name)}
                </button>
              ))}
            </div>
          </div>
          {query.error ? (
            <ErrorState
              message={query.error.message}
              code={query.error.code}
              retryLabel={t('action.retry')}
              copyLabel={t('action.copyDetails')}
              onRetry={() => void query.refetch()}
            />
          ) : (
            <OptionList
              id={`${id}-list`}
              label={t('chart.indicators')}
              rows={rows}
              studies={studies}
              picked={current?.id ?? null}
              onPick={(option) => setAt(option.id)}
              onTake={take}
            />
          )}
        </div>
      ) : null}
      <div ref={detail} data-detail className="flex min-w-0 flex-1 flex-col">
        <div className="min-h-0 flex-1">
          {current?.kind === 'study' ? (
            <StudyDetail
              key={current.index}
              index={current.index}
              studies={studies}
              known={known}
              actions={actions}
              onRemoved={toList}
            />
          ) : null}
          {current?.kind === 'indicator' ? <IndicatorDetail info={current.info} onAdd={() => take(current)} /> : null}
          {current?.kind === 'expression' ? (
            <div className="flex h-full flex-col gap-2.5 overflow-auto p-3">
              <h3 className="text-md font-semibold">{t('picker.expression')}</h3>
              <p className="text-t2">{t('picker.expressionText')}</p>
              <ExpressionForm
                key={current.text}
                text={current.text}
                onSubmit={(written) => {
                  setText('');
                  setAt(`study:${actions.add(written)}`);
                }}
              />
            </div>
          ) : null}
        </div>
        {wide ? null : (
          <div className="border-t border-line p-1.5">
            <Button variant="ghost" size="sm" onClick={toList}>
              <ChevronLeft aria-hidden className="size-3.5" /> {t('picker.all')}
            </Button>
          </div>
        )}
      </div>
    </div>
  );
}
