import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import * as fmt from '@/lib/format';
import { type FanPoint, type FanShape, ticksBetween } from './fan';

const ROOM = { left: 8, right: 108, top: 8, bottom: 20 };

/** What came before now, and the spread of what came after moments like it. */
export function FanChart({
  shape,
  close,
  decimals,
  horizons,
}: {
  shape: FanShape;
  close: number;
  decimals: number;
  horizons: number[];
}) {
  const { t } = useTranslation();
  const box = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 480, height: 200 });
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => setSize({ width: element.clientWidth, height: element.clientHeight });
    measure();
    const resized = new ResizeObserver(measure);
    resized.observe(element);
    return () => resized.disconnect();
  }, []);
  const { width, height } = size;
  const x = (step: number) =>
    ROOM.left + ((step - shape.first) / (shape.last - shape.first)) * Math.max(1, width - ROOM.left - ROOM.right);
  const y = (value: number) =>
    ROOM.top + ((shape.high - value) / (shape.high - shape.low)) * Math.max(1, height - ROOM.top - ROOM.bottom);
  const points = (line: readonly FanPoint[]) =>
    line.map((point) => `${x(point.step).toFixed(1)},${y(point.value).toFixed(1)}`);
  const path = (line: readonly FanPoint[]) => (line.length ? `M${points(line).join('L')}` : '');
  const [right, bottom] = [width - ROOM.right, height - ROOM.bottom];
  const end = shape.median.at(-1);
  return (
    <div ref={box} className="h-full min-h-32 overflow-hidden">
      <svg
        width={width}
        height={height}
        role="img"
        aria-label={t('similar.fanLabel', {
          count: shape.moments.length,
          steps: shape.last,
          median: percent(end?.value ?? 0),
        })}
        className="block text-2xs"
      >
        <defs>
          <clipPath id="fan-plot">
            <rect
              x={ROOM.left}
              y={ROOM.top}
              width={Math.max(0, right - ROOM.left)}
              height={Math.max(0, bottom - ROOM.top)}
            />
          </clipPath>
        </defs>
        {ticksBetween(shape.low, shape.high, Math.max(2, Math.floor(height / 36))).map((tick) => (
          <g key={tick}>
            <line
              x1={ROOM.left}
              x2={right}
              y1={y(tick)}
              y2={y(tick)}
              stroke="var(--line)"
              strokeOpacity={tick === 0 ? 1 : 0.6}
            />
            <text x={right + 6} y={y(tick) + 3.5} fill="var(--t2)">
              {percent(tick)}
            </text>
            <text x={width - 4} y={y(tick) + 3.5} fill="var(--t3)" textAnchor="end">
              {fmt.price(close * (1 + tick), decimals)}
            </text>
          </g>
        ))}
        <g clipPath="url(#fan-plot)">
          {shape.bands.map((band, i) => (
            <path
              key={i === 0 ? 'outer' : 'inner'}
              d={`M${[...points(band.low), ...points(band.high).reverse()].join('L')}Z`}
              fill="var(--accent)"
              fillOpacity={i === 0 ? 0.1 : 0.18}
            />
          ))}
          {shape.moments.map((line, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the moments of one answer keep their order
            <path key={i} d={path(line)} fill="none" stroke="var(--t3)" strokeOpacity={0.28} strokeWidth={0.8} />
          ))}
          <path d={path(shape.median)} fill="none" stroke="var(--accent)" strokeWidth={1.6} />
          <path d={path(shape.past)} fill="none" stroke="var(--t1)" strokeWidth={1.4} />
        </g>
        <line x1={x(0)} x2={x(0)} y1={ROOM.top} y2={bottom} stroke="var(--ctl)" strokeDasharray="2 3" />
        <circle cx={x(0)} cy={y(0)} r={3} fill="var(--t1)" />
        <text x={x(0)} y={height - 6} fill="var(--t2)" textAnchor="middle">
          {t('similar.now')}
        </text>
        {horizons
          .filter((step) => x(step) - x(0) > 28)
          .map((step) => (
            <text
              key={step}
              x={x(step)}
              y={height - 6}
              fill="var(--t2)"
              textAnchor={step === shape.last ? 'end' : 'middle'}
            >
              +{step}
            </text>
          ))}
      </svg>
    </div>
  );
}

/** `+1.2%`, with the true minus sign. */
export const percent = (value: number, decimals = 1) => `${fmt.percentChange(value.toFixed(8), decimals)}%`;
