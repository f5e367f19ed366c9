import { useTranslation } from 'react-i18next';
import type { Coverage } from '@/bindings';
import { cx } from '@/kit/cx';
import * as fmt from '@/lib/format';
import { type Piece, piecesOf } from './coverage';

/** Height and colour: what is there stands tall, what is missing is told by its pattern as well. */
const LOOK: Record<Piece['kind'], string> = {
  asked: 'top-[7px] h-1 bg-accent/40',
  have: 'top-1 h-2.5 bg-accent',
  no_trades: 'top-1 h-2.5 bg-bg3',
  not_fetched: 'top-1 h-2.5 bg-bg1 hatch border-x border-warn',
  lost: 'top-1 h-2.5 bg-crit',
  unknown: 'top-1 h-2.5 bg-bg1 hatch border-x border-crit',
};

/** What is there of a series between its ends. */
export function CoverageBar({ coverage }: { coverage: Coverage }) {
  const { t } = useTranslation();
  const pieces = piecesOf(coverage);
  const say = (piece: Piece) =>
    [
      t(`coverage.piece.${piece.kind}`),
      `${fmt.dateMinutes(piece.from)} – ${fmt.dateMinutes(piece.to)} UTC`,
      piece.provider ?? (piece.missing === undefined ? '' : t('coverage.missing', { count: piece.missing })),
    ]
      .filter(Boolean)
      .join(' · ');
  return (
    <span
      role="img"
      aria-label={t('coverage.bar', {
        candles: fmt.integer(coverage.candles),
        from: fmt.dateMinutes(coverage.first),
        to: fmt.dateMinutes(coverage.last),
        count: coverage.gap_count,
      })}
      className="relative block h-[18px] overflow-hidden rounded-[2px] bg-bg2"
    >
      {pieces.map((piece) => (
        <span
          key={`${piece.kind} ${piece.from}`}
          title={say(piece)}
          className={cx('absolute min-w-[2px]', LOOK[piece.kind])}
          style={{ left: `${piece.left * 100}%`, width: `${piece.width * 100}%` }}
        />
      ))}
    </span>
  );
}
