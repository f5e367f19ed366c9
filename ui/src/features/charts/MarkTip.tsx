import { useEffect, useState } from 'react';
import type { ChartController } from './controller';
import type { Notes } from './layers';

const WIDTH = 280;

/** What the mark under the pointer says. */
export function MarkTip({ chart, notes }: { chart: ChartController; notes: Notes }) {
  const [hover, setHover] = useState<{ id: string; x: number; y: number } | null>(null);
  useEffect(() => {
    chart.port.onMarkerHover((next) => setHover((old) => (old?.id === next?.id ? old : next)));
  }, [chart]);
  const note = hover ? notes.get(hover.id) : undefined;
  if (!hover || !note) return null;
  return (
    <div
      role="tooltip"
      style={{ left: Math.max(4, hover.x - WIDTH / 2), top: hover.y + 18, width: WIDTH }}
      className="pointer-events-none absolute z-20 rounded-sm border border-line bg-bg2 px-2 py-1.5 text-xs shadow-(--shadow)"
    >
      <p className="font-semibold text-t1">{note.title}</p>
      {note.lines.map((line) => (
        <p key={line} className="mt-0.5 text-t2">
          {line}
        </p>
      ))}
    </div>
  );
}
