import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { fromBytes } from '@/lib/bytes';
import type { ConsoleBlock } from '@/transport/types';

type Table = Extract<ConsoleBlock, { kind: 'table' }>;
const NUMBER = /^[+-]?\d[\d,]*(\.\d+)?%?$/;

/** One piece of an answer. */
export function Block({ block, line }: { block: ConsoleBlock; line: string }) {
  switch (block.kind) {
    case 'table':
      return <TableBlock table={block} />;
    case 'text':
      return <pre className="whitespace-pre-wrap break-words text-t2">{block.text}</pre>;
    case 'json':
      return <pre className="whitespace-pre-wrap break-words text-t2">{JSON.stringify(block.value, null, 2)}</pre>;
    case 'error':
      return (
        <div role="alert" className="text-crit">
          {block.caret ? (
            <pre aria-hidden className="text-t3">
              {'  '}
              {line}
              {'\n  '}
              {' '.repeat(fromBytes(line, block.caret.start))}
              {'^'.repeat(Math.max(1, fromBytes(line, block.caret.end) - fromBytes(line, block.caret.start)))}
            </pre>
          ) : null}
          {block.error.message} <span className="text-t3">({block.error.code})</span>
        </div>
      );
  }
}

function TableBlock({ table }: { table: Table }) {
  const { t } = useTranslation();
  const [sort, setSort] = useState<{ column: number; down: boolean } | null>(null);
  const numeric = useMemo(
    () =>
      table.columns.map(
        (_, c) =>
          table.rows.length > 0 &&
          table.rows.every((row) => row[c] === null || row[c] === '' || NUMBER.test(String(row[c]))),
      ),
    [table],
  );
  const rows = useMemo(() => {
    if (!sort) return table.rows;
    const key = (row: Table['rows'][number]) => row[sort.column];
    return [...table.rows].sort((a, b) => {
      const order = numeric[sort.column]
        ? Number(String(key(a)).replace(/[,%]/g, '')) - Number(String(key(b)).replace(/[,%]/g, ''))
        : String(key(a)).localeCompare(String(key(b)));
      return sort.down ? -order : order;
    });
  }, [table, sort, numeric]);
  const shown = rows.slice(0, 500);
  return (
    <div className="overflow-x-auto">
      <table className="w-full max-w-4xl border-collapse">
        <thead>
          <tr className="text-left text-xs text-t3">
            {table.columns.map((column, c) => (
              <th
                key={column}
                scope="col"
                aria-sort={sort?.column === c ? (sort.down ? 'descending' : 'ascending') : 'none'}
                className={`pr-4 font-normal uppercase ${numeric[c] ? 'text-right' : ''}`}
              >
                <button
                  type="button"
                  className="min-h-6 uppercase hover:text-t1"
                  onClick={() => setSort({ column: c, down: sort?.column === c ? !sort.down : true })}
                >
                  {column}
                  {sort?.column === c ? (sort.down ? ' ↓' : ' ↑') : ''}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row, r) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows of an answer have no identity of their own
            <tr key={r}>
              {row.map((cell, c) => {
                const text = cell === null ? '' : String(cell);
                const tone = /pnl|profit|change|return/i.test(table.columns[c] ?? '')
                  ? text.startsWith('-')
                    ? 'text-down'
                    : /^\+?0*\.?0*$/.test(text)
                      ? ''
                      : 'text-up'
                  : '';
                return (
                  <td key={table.columns[c]} className={`pr-4 ${numeric[c] ? 'num' : ''} ${tone}`}>
                    {text}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > shown.length ? (
        <p className="text-t3">{t('console.more', { count: rows.length - shown.length })}</p>
      ) : null}
    </div>
  );
}
