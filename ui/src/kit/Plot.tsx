import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface PlotSeries {
  label: string;
  /** CSS colour token, e.g. `accent`. */
  color: string;
  fill?: boolean;
}

const css = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** What the vertical axis spans: from zero with head room, or the values with a little air on both sides. */
export function yRange(low: number | null, high: number | null, zeroBased: boolean): [number, number] {
  const [least, most] = [low ?? 0, high ?? 1];
  if (zeroBased) return [Math.min(0, least), (most || 1) * 1.15];
  const air = (most - least || Math.abs(most) || 1) * 0.06;
  return [least - air, most + air];
}

/** Lines over time, up to a few thousand points. `data[0]` is Unix seconds. */
export function Plot({
  label,
  series,
  data,
  format,
  theme,
  formatTime,
  zeroBased = true,
}: {
  label: string;
  series: readonly PlotSeries[];
  data: readonly (readonly (number | null)[])[];
  format: (value: number) => string;
  formatTime: (seconds: number) => string;
  /** Redraws with the new colours when it changes. */
  theme: string;
  zeroBased?: boolean;
}) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const newest = useRef(data);
  newest.current = data;
  const shape = `${theme} ${series.map((s) => `${s.label} ${s.color}`).join()}`;

  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` stands for the series and the theme
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const grid = { stroke: css('line'), width: 1 };
    const axis = { stroke: css('t2'), grid, ticks: { show: false }, font: '11px "Inter Variable", sans-serif' };
    const made = new uPlot(
      {
        width: Math.max(80, element.clientWidth),
        height: Math.max(60, element.clientHeight),
        legend: { show: false },
        cursor: { y: false, points: { size: 5 } },
        padding: [8, 8, 0, 0],
        scales: {
          x: { time: true },
          y: { range: (_u, low, high) => yRange(low, high, zeroBased) },
        },
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), 'Etc/UTC'),
        axes: [
          { ...axis, space: 90, values: (_u, ticks) => ticks.map(formatTime) },
          { ...axis, size: 52, space: 24, values: (_u, ticks) => ticks.map(format) },
        ],
        series: [
          {},
          ...series.map((each) => ({
            label: each.label,
            stroke: css(each.color),
            width: 1.4,
            points: { show: false },
            ...(each.fill ? { fill: `color-mix(in srgb, ${css(each.color)} 12%, transparent)` } : {}),
          })),
        ],
      },
      newest.current as uPlot.AlignedData,
      element,
    );
    plot.current = made;
    const resized = new ResizeObserver(() =>
      made.setSize({ width: Math.max(80, element.clientWidth), height: Math.max(60, element.clientHeight) }),
    );
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, format, formatTime, zeroBased]);

  useEffect(() => {
    plot.current?.setData(data as uPlot.AlignedData);
  }, [data]);

  return <div ref={box} role="img" aria-label={label} className="h-full min-h-0 w-full overflow-hidden" />;
}
