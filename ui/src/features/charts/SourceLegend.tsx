import { ListTree } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { Provenance, ProvenanceKind, ProvenanceSegment } from '@/bindings';
import { IconButton } from '@/kit/Button';
import { type Column, Grid } from '@/kit/Grid';
import { Popover } from '@/kit/Popover';
import * as fmt from '@/lib/format';
import { KINDS, paintKind } from './honesty';

/** The strip in words: what its colours mean, and every segment with its range; the way there without a mouse. */
export function SourceLegend({ told, theme }: { told: Provenance; theme: string }) {
  const { t } = useTranslation();
  const columns: Column<ProvenanceSegment>[] = [
    {
      id: 'kind',
      head: t('honesty.how'),
      width: '104px',
      cell: (s) => (
        <span className="flex items-center gap-1.5">
          <Swatch kind={s.kind} theme={theme} /> {t(`honesty.kind.${s.kind}`)}
        </span>
      ),
    },
    { id: 'provider', head: t('honesty.provider'), width: '92px', cell: (s) => s.provider ?? '–' },
    { id: 'from', head: t('data.from'), width: '128px', cell: (s) => fmt.dateMinutes(s.from), className: 'text-t2' },
    { id: 'to', head: t('honesty.to'), width: '128px', cell: (s) => fmt.dateMinutes(s.to), className: 'text-t2' },
    { id: 'candles', head: t('honesty.candles'), width: '56px', numeric: true, cell: (s) => fmt.integer(s.candles) },
  ];
  return (
    <Popover
      label={t('honesty.title')}
      align="end"
      className="w-[580px] max-w-[92vw] p-0!"
      trigger={
        <IconButton label={t('honesty.list')} className="size-5!">
          <ListTree />
        </IconButton>
      }
    >
      <ul className="flex flex-wrap gap-x-3 gap-y-1 border-b border-line px-2.5 py-2 text-xs text-t2">
        {KINDS.map((kind) => (
          <li key={kind} title={t(`honesty.meaning.${kind}`)} className="flex items-center gap-1.5">
            <Swatch kind={kind} theme={theme} /> {t(`honesty.kind.${kind}`)}
          </li>
        ))}
      </ul>
      {told.notice ? <p className="border-b border-line px-2.5 py-1.5 text-xs text-warn">{told.notice}</p> : null}
      <div className="h-56">
        <Grid
          label={t('honesty.title')}
          columns={columns}
          rows={[...told.segments].reverse()}
          keyOf={(s) => `${s.from} ${s.kind}`}
        />
      </div>
    </Popover>
  );
}

function Swatch({ kind, theme }: { kind: ProvenanceKind; theme: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `theme` decides what the colour tokens are
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    context.clearRect(0, 0, 16, 6);
    paintKind(context, kind, { left: 0, top: 0, width: 16, height: 6 });
  }, [kind, theme]);
  return <canvas ref={canvas} width={16} height={6} aria-hidden className="shrink-0" />;
}
