import { useTranslation } from 'react-i18next';
import { Chip } from '@/kit/Chip';

/** Words that nobody may overlook; the whole notice is behind them. */
export function SourceBadges({
  badges,
  notice,
}: {
  badges: readonly ('delayed' | 'unofficial' | 'simulated')[];
  notice?: string | undefined;
}) {
  const { t } = useTranslation();
  return badges.map((badge) => (
    <span key={badge} title={notice ?? t(`data.badgeNote.${badge}`)} className="inline-flex">
      <Chip tone={badge === 'simulated' ? 'neutral' : 'warn'}>{t(`data.badge.${badge}`)}</Chip>
    </span>
  ));
}
