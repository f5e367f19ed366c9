import { X } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { cx } from '@/kit/cx';
import { useDraft } from '@/lib/draft';
import * as fmt from '@/lib/format';
import { nextFrame } from '@/lib/frame';
import { useUi } from '@/lib/ui';
import { useAction } from '@/transport/hooks';
import type { ChartController } from './controller';
import type { TagKind, TagLine } from './orderLines';

const HEADS: Record<TagKind, string> = {
  position: 'bg-solid text-white',
  tp: 'bg-buy text-white',
  sl: 'bg-sell text-white',
  order: 'bg-bg3 text-t1',
  draft: 'bg-bg3 text-t2',
};

/** The labels on our lines: real buttons over the canvas, moved with the price scale and never by React. */
export function LineTags({ chart, lines, decimals }: { chart: ChartController; lines: TagLine[]; decimals: number }) {
  const { t } = useTranslation();
  const open = useUi((s) => s.open);
  const box = useRef<HTMLDivElement>(null);
  const cancel = useAction('orders.cancel');

  useEffect(() => {
    const place = () => {
      const element = box.current;
      if (!element) return;
      const right = chart.port.axisWidth() + 2;
      const paneHeight = chart.port.paneTops()[1] ?? element.clientHeight;
      const prices = new Map(lines.map((line) => [line.id, line.price]));
      const placed: { y: number; width: number }[] = [];
      for (const tag of element.children) {
        if (!(tag instanceof HTMLElement)) continue;
        const y = chart.port.yOf(prices.get(tag.dataset.line ?? '') ?? Number.NaN);
        tag.hidden = y === null || y < 8 || y > paneHeight - 8;
        if (y === null || tag.hidden) continue;
        // Tags whose levels are too close stand side by side.
        const inTheWay = placed
          .filter((other) => Math.abs(other.y - y) < 21)
          .reduce((sum, other) => sum + other.width + 4, 0);
        placed.push({ y, width: tag.offsetWidth });
        tag.style.transform = `translateY(${Math.round(y) - 10}px)`;
        tag.style.right = `${right + inTheWay}px`;
      }
    };
    chart.port.onLayout(() => nextFrame(place));
    place();
    return () => chart.port.onLayout(() => {});
  }, [chart, lines]);

  const close = (line: TagLine) => {
    if (line.kind === 'draft') useDraft.getState().change({ price: '', stop: '' });
    else if (line.order) cancel.mutate({ order_id: line.order.id });
    else if (line.position) open({ kind: 'close-position', position: line.position });
  };
  const name = (line: TagLine) => {
    if (line.kind === 'tp') return t('chart.tag.tp');
    if (line.kind === 'sl') return t('chart.tag.sl');
    if (line.kind === 'position') return t(line.side === 'short' ? 'side.Short' : 'side.Long');
    return t(line.side === 'sell' ? 'side.Sell' : 'side.Buy');
  };

  return (
    <div ref={box} className="pointer-events-none absolute inset-0 z-10 overflow-hidden text-xs">
      {lines.map((line) => {
        const tone = fmt.direction(line.pnl);
        return (
          <div
            key={line.id}
            data-line={line.id}
            className="pointer-events-auto absolute top-0 flex h-5 items-stretch overflow-hidden rounded-sm border bg-bg1 font-medium"
            style={{ borderColor: line.color }}
          >
            <span className={cx('flex items-center px-1.5', HEADS[line.kind])}>
              {line.kind === 'position' ? `${name(line)} ${fmt.quantity(line.qty)}` : name(line)}
            </span>
            {line.kind === 'position' ? null : (
              <span className="flex items-center border-r border-line px-2">{fmt.quantity(line.qty)}</span>
            )}
            {line.pnl === null ? null : (
              <span className={cx('flex items-center px-2', fmt.toneClass(tone))}>{fmt.change(line.pnl)}</span>
            )}
            {line.kind === 'tp' || line.kind === 'sl' ? null : (
              <button
                type="button"
                aria-label={t('chart.tag.close', {
                  what: `${name(line)} ${fmt.quantity(line.qty)} @ ${fmt.price(line.axisText, decimals)}`,
                })}
                onClick={() => close(line)}
                className="flex w-6 items-center justify-center border-l border-line text-t2 hover:bg-bg3 hover:text-t1"
              >
                <X className="size-3" />
              </button>
            )}
          </div>
        );
      })}
    </div>
  );
}
