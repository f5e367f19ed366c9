import { useTranslation } from 'react-i18next';
import { Dialog } from '@/kit/Dialog';
import { useUi } from '@/lib/ui';
import { useLive } from '@/transport/live';

export function About() {
  const { t } = useTranslation();
  const close = useUi((s) => s.close);
  const version = useLive('health', {}).data?.version;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && close()}
      title={`${t('app.name')} ${version ?? ''}`}
      closeLabel={t('action.close')}
    >
      <div className="flex flex-col gap-2 text-t2 selectable">
        <p>{t('about.license')}</p>
        <p>
          {t('about.charts')}{' '}
          <a className="text-accent underline" href="https://www.tradingview.com/" target="_blank" rel="noreferrer">
            tradingview.com
          </a>
        </p>
        <p>{t('about.fonts')}</p>
        <p>{t('about.risk')}</p>
      </div>
    </Dialog>
  );
}
