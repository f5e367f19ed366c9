import { useVirtualizer } from '@tanstack/react-virtual';
import { type FocusEvent, type KeyboardEvent, type ReactNode, useCallback, useId, useRef, useState } from 'react';
import { cx } from './cx';

export interface Column<R> {
  id: string;
  head: string;
  /** CSS width of the track: `90px`, `1fr`, `minmax(80px, 1fr)`. */
  width: string;
  numeric?: boolean;
  cell: (row: R) => ReactNode;
  className?: string | ((row: R) => string);
}

/**
 * A virtual table: only the rows in sight are in the document. `role=grid` with full counts; one tab stop, arrows,
 * Home, End, Page keys move, Enter acts.
 */
export function Grid<R>({
  label,
  columns,
  rows,
  keyOf,
  rowHeight = 24,
  onActivate,
  activateOnClick = false,
  selected,
  onSelect,
  footer,
  className,
  mono = false,
  rowClass,
}: {
  label: string;
  columns: Column<R>[];
  rows: readonly R[];
  keyOf: (row: R) => string;
  rowHeight?: number;
  onActivate?: (row: R) => void;
  /** One click is enough; without it two are needed, or Enter. */
  activateOnClick?: boolean;
  selected?: string | null;
  onSelect?: (row: R) => void;
  footer?: ReactNode;
  className?: string;
  mono?: boolean;
  rowClass?: (row: R) => string;
}) {
  const id = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const [cursor, setCursor] = useState(0);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 8,
  });
  const template = { gridTemplateColumns: columns.map((c) => c.width).join(' ') };

  const move = useCallback(
    (to: number) => {
      const index = Math.max(0, Math.min(rows.length - 1, to));
      setCursor(index);
      virtual.scrollToIndex(index);
      const row = rows[index];
      if (row) onSelect?.(row);
    },
    [rows, virtual, onSelect],
  );
  /** A click on a row, or a sheet that closes, leaves the focus on the row; the keys are the grid's. */
  const onFocus = ({ target, currentTarget }: FocusEvent) => {
    if (target !== currentTarget && (target.role === 'row' || target.role === 'gridcell'))
      scroller.current?.focus({ preventScroll: true });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget) return;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 240) / rowHeight) - 1);
    const jumps: Record<string, number> = {
      ArrowDown: cursor + 1,
      ArrowUp: cursor - 1,
      PageDown: cursor + page,
      PageUp: cursor - page,
      Home: 0,
      End: rows.length - 1,
    };
    const to = jumps[event.key];
    if (to !== undefined) {
      event.preventDefault();
      move(to);
    } else if (event.key === 'Enter') {
      // Else the rest of the key press lands on what just opened, and presses its first button.
      event.preventDefault();
      const row = rows[cursor];
      if (row) onActivate?.(row);
    }
  };

  return (
    <div
      ref={scroller}
      role="grid"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      aria-colcount={columns.length}
      aria-activedescendant={rows.length > 0 ? `${id}-${cursor}` : undefined}
      tabIndex={0}
      onFocus={onFocus}
      onKeyDown={onKeyDown}
      className={cx('h-full overflow-auto', mono && 'font-mono', className)}
    >
      <div className="min-w-fit">
        <div
          role="row"
          aria-rowindex={1}
          tabIndex={-1}
          style={template}
          className="sticky top-0 z-10 grid h-6 items-center gap-x-3 border-b border-line bg-bg1 px-2.5 text-2xs text-t2"
        >
          {columns.map((column, i) => (
            <div
              key={column.id}
              role="columnheader"
              tabIndex={-1}
              aria-colindex={i + 1}
              className={cx('truncate', column.numeric && 'num')}
            >
              {column.head}
            </div>
          ))}
        </div>
        <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index] as R;
            const key = keyOf(row);
            return (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the grid itself handles the keys (aria-activedescendant)
              <div
                key={key}
                id={`${id}-${item.index}`}
                role="row"
                tabIndex={-1}
                aria-rowindex={item.index + 2}
                aria-selected={selected === undefined ? undefined : selected === key}
                data-cursor={item.index === cursor || undefined}
                onClick={() => {
                  move(item.index);
                  if (activateOnClick) onActivate?.(row);
                }}
                onDoubleClick={() => activateOnClick || onActivate?.(row)}
                style={{ ...template, height: rowHeight, transform: `translateY(${item.start}px)` }}
                className={cx(
                  'absolute inset-x-0 grid items-center gap-x-3 border-b border-line/60 px-2.5 hover:bg-bg2',
                  'aria-selected:bg-select/70 aria-selected:shadow-[inset_2px_0_0_var(--accent)]',
                  rowClass?.(row),
                )}
              >
                {columns.map((column, i) => (
                  <div
                    key={column.id}
                    role="gridcell"
                    tabIndex={-1}
                    aria-colindex={i + 1}
                    className={cx(
                      'truncate',
                      column.numeric && 'num live',
                      typeof column.className === 'function' ? column.className(row) : column.className,
                    )}
                  >
                    {column.cell(row)}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
        {footer}
      </div>
    </div>
  );
}
