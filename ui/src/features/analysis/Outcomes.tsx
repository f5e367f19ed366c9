import { useTranslation } from 'react-i18next';
import type { SimilarOutcome } from '@/bindings';
import { cx } from '@/kit/cx';
import * as fmt from '@/lib/format';
import { percent } from './FanChart';

/** Per horizon: how often it rose beside how often it rises anyway, with what chance alone would do. */
export function Outcomes({ outcomes }: { outcomes: readonly SimilarOutcome[] }) {
  const { t } = useTranslation();
  const share = (value: number) => fmt.percent(value, 0);
  return (
    <table className="w-full table-fixed border-collapse whitespace-nowrap text-sm">
      <thead>
        <tr className="h-6 text-2xs text-t2">
          <th scope="col" className="w-14 pl-2.5 text-left font-normal">
            {t('similar.after')}
          </th>
          <th scope="col" colSpan={2} className="text-left font-normal">
            {t('similar.rose')}
          </th>
          <th scope="col" className="num w-16 px-2 font-normal" title={t('similar.baseHint')}>
            {t('similar.base')}
          </th>
          <th scope="col" className="num w-20 px-2 font-normal" title={t('similar.medianHint')}>
            {t('similar.median')}
          </th>
          <th scope="col" className="num w-16 pr-2.5 font-normal" title={t('similar.pHint')}>
            {t('similar.p')}
          </th>
        </tr>
      </thead>
      <tbody>
        {outcomes.map((each) => (
          <tr key={each.horizon} className="h-6 border-t border-line/60">
            <th scope="row" className="pl-2.5 text-left font-normal text-t2">
              +{each.horizon}
            </th>
            <td colSpan={2}>
              <div className="flex items-center gap-2">
                <span className="num w-9 font-medium">{share(each.up)}</span>
                <Interval outcome={each} />
              </div>
            </td>
            <td className="num px-2 text-t2">{share(each.base_up)}</td>
            <td
              className={cx('num px-2', fmt.toneClass(fmt.direction(String(each.median))))}
              title={t('similar.medianInterval', {
                low: percent(each.median_low, 2),
                high: percent(each.median_high, 2),
                base: percent(each.base_median, 2),
              })}
            >
              {percent(each.median, 2)}
            </td>
            <td className={cx('num pr-2.5', each.p_adjusted < 0.05 ? 'font-medium text-t1' : 'text-t3')}>
              {each.p_adjusted < 0.001 ? '< 0.001' : fmt.price(each.p_adjusted, 3)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The interval of 95 % as a bar from 0 to 100 %, the share as a dot, the base rate as a mark across. */
function Interval({ outcome }: { outcome: SimilarOutcome }) {
  const { t } = useTranslation();
  const at = (value: number) => `${(value * 100).toFixed(1)}%`;
  return (
    <div
      role="img"
      aria-label={t('similar.interval', {
        low: fmt.percent(outcome.up_low),
        high: fmt.percent(outcome.up_high),
        base: fmt.percent(outcome.base_up),
      })}
      title={t('similar.interval', {
        low: fmt.percent(outcome.up_low),
        high: fmt.percent(outcome.up_high),
        base: fmt.percent(outcome.base_up),
      })}
      className="relative h-3 min-w-0 flex-1 rounded-sm bg-bg3"
    >
      <span
        className="absolute top-1 h-1 rounded-full bg-accent/60"
        style={{ left: at(outcome.up_low), width: at(outcome.up_high - outcome.up_low) }}
      />
      <span className="absolute top-0.5 -ml-1 size-2 rounded-full bg-accent" style={{ left: at(outcome.up) }} />
      <span className="absolute inset-y-0 -ml-px w-0.5 bg-t2" style={{ left: at(outcome.base_up) }} />
    </div>
  );
}
