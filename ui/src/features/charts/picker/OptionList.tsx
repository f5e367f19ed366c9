import { useVirtualizer } from '@tanstack/react-virtual';
import { EyeOff, Plus, Sigma } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { cx } from '@/kit/cx';
import { token } from '@/lib/prefs';
import { colorsOf } from '../studies';
import { type Study, studyTitle } from '../study';
import type { Option, Row } from './options';
import { useGroupName } from './useGroupName';

/** The options under their headings; only those in sight are in the document. The search field holds the focus. */
export function OptionList({
  id,
  label,
  rows,
  studies,
  picked,
  onPick,
  onTake,
}: {
  id: string;
  label: string;
  rows: readonly Row[];
  studies: readonly Study[];
  picked: string | null;
  onPick: (option: Option) => void;
  onTake: (option: Option) => void;
}) {
  const groupName = useGroupName();
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (rows[index]?.kind === 'heading' ? 26 : 24),
    getItemKey: (index) => rows[index]?.id ?? index,
    overscan: 6,
  });
  const at = rows.findIndex((row) => row.id === picked);
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at);
  }, [at, virtual]);
  const colors = colorsOf(studies);
  const places = new Map(rows.filter((row) => row.kind === 'option').map((row, i) => [row.id, i + 1]));
  return (
    <div ref={scroller} className="min-h-0 flex-1 overflow-auto" tabIndex={-1}>
      <div id={id} role="listbox" aria-label={label} className="relative" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const row = rows[item.index];
          if (!row) return null;
          const style = { height: item.size, transform: `translateY(${item.start}px)` };
          if (row.kind === 'heading')
            return (
              <div
                key={row.id}
                role="presentation"
                style={style}
                className="absolute inset-x-0 flex items-end px-2.5 pb-1 text-2xs text-t2"
              >
                {groupName(row.name)}
              </div>
            );
          const { option } = row;
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the search field handles the keys (aria-activedescendant)
            <div
              key={row.id}
              id={`${id}-${row.id}`}
              role="option"
              tabIndex={-1}
              aria-selected={row.id === picked}
              aria-posinset={places.get(row.id)}
              aria-setsize={places.size}
              style={style}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => onPick(option)}
              onDoubleClick={() => onTake(option)}
              className="absolute inset-x-0 flex items-center gap-2 px-2.5 hover:bg-bg3/60 aria-selected:bg-select aria-selected:shadow-[inset_2px_0_0_var(--accent)]"
            >
              <OptionBody
                option={option}
                color={option.kind === 'study' ? token(colors[option.index] ?? 'accent') : ''}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}

function OptionBody({ option, color }: { option: Option; color: string }) {
  const { t } = useTranslation();
  if (option.kind === 'study')
    return (
      <>
        <span
          aria-hidden
          className={cx('h-0.5 w-3 shrink-0 rounded-full', option.study.hidden && 'opacity-40')}
          style={{ background: color }}
        />
        <span className={cx('min-w-0 flex-1 truncate', option.study.hidden && 'text-t3')}>
          {studyTitle(option.study.text)}
        </span>
        {option.study.hidden ? (
          <EyeOff role="img" aria-label={t('picker.hidden')} className="size-3.5 text-t3" />
        ) : null}
      </>
    );
  if (option.kind === 'expression')
    return (
      <>
        <Sigma aria-hidden className="size-3 shrink-0 text-t3" />
        <span className="min-w-0 flex-1 truncate">
          {option.text ? <span className="font-mono text-xs">{option.text}</span> : t('picker.expression')}
        </span>
      </>
    );
  return (
    <>
      <Plus aria-hidden className="size-3 shrink-0 text-t3" />
      <span className="min-w-0 flex-1 truncate">{option.info.title}</span>
      <span className="shrink-0 font-mono text-2xs text-t3">{option.info.name}</span>
    </>
  );
}
