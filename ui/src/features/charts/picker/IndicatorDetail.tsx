import { Plus } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/kit/Button';
import { Chip } from '@/kit/Chip';
import type { IndicatorInfo } from '@/transport/types';
import { defaultStudy } from '../study';
import { useGroupName } from './useGroupName';

/** What an indicator is, before it is on the chart. */
export function IndicatorDetail({ info, onAdd }: { info: IndicatorInfo; onAdd: () => void }) {
  const { t } = useTranslation();
  const groupName = useGroupName();
  return (
    <div className="flex h-full flex-col">
      <div className="flex min-h-0 flex-1 flex-col gap-2.5 overflow-auto p-3">
        <div>
          <h3 className="text-md font-semibold">{info.title}</h3>
          <p className="font-mono text-xs text-t2">{defaultStudy(info)}</p>
        </div>
        <div className="flex gap-1.5">
          <Chip>{groupName(info.group)}</Chip>
          <Chip>{t(info.overlay ? 'picker.onPrice' : 'picker.ownPane')}</Chip>
        </div>
        <Definition info={info} />
        {info.params.length ? (
          <dl className="grid grid-cols-[auto_auto_1fr] gap-x-3 gap-y-1 text-xs">
            {info.params.map((param) => (
              <div key={param.name} className="contents">
                <dt className="text-t2">{param.name}</dt>
                <dd className="num font-medium">{param.default}</dd>
                <dd className="text-t3">
                  {param.min}–{param.max}
                </dd>
              </div>
            ))}
          </dl>
        ) : null}
        {info.outputs.length > 1 ? (
          <p className="text-xs text-t2">
            {t('picker.outputs', { names: info.outputs.map((output) => output.title).join(', ') })}
          </p>
        ) : null}
      </div>
      <div className="flex items-center gap-2 border-t border-line p-2.5">
        <Button variant="solid" onClick={onAdd}>
          <Plus aria-hidden className="size-3.5" /> {t('picker.add')}
        </Button>
        <span className="text-xs text-t3">{t('picker.addKey')}</span>
      </div>
    </div>
  );
}

/** The definition, where it comes from, and how long it takes to have a value. */
export function Definition({ info }: { info: IndicatorInfo }) {
  const { t } = useTranslation();
  return (
    <div className="flex flex-col gap-1.5 selectable">
      <p className="leading-[18px]">{info.doc}</p>
      {info.source ? <p className="text-xs text-t3">{t('picker.source', { source: info.source })}</p> : null}
      {info.warm_up ? <p className="text-xs text-t3">{t('picker.warmUp', { count: info.warm_up })}</p> : null}
    </div>
  );
}
