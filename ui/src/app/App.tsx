import { Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { TipProvider } from '@/kit/Tip';
import { Toaster } from '@/kit/Toaster';
import { useUi } from '@/lib/ui';
import { useMedia } from '@/lib/useMedia';
import { useLinkStatus, useTransport } from '@/transport/hooks';
import { TransportError } from '@/transport/Transport';
import { ConnectFailed } from './ConnectFailed';
import { Dock } from './Dock';
import { Narrow } from './Narrow';
import { Onboarding } from './Onboarding';
import { Overlays } from './Overlays';
import { StatusBar } from './StatusBar';
import { TopBar } from './TopBar';
import { useAnnouncements } from './useAnnouncements';
import { useHotkeys } from './useHotkeys';
import { useWindowTitle } from './useWindowTitle';

const UNPAIRED = new TransportError({
  code: 'unpaired',
  message: 'the engine does not know this browser any more',
  retryable: false,
});

export function App() {
  const { t } = useTranslation();
  const workspace = useUi((s) => s.workspace);
  const nonce = useUi((s) => s.resetNonce);
  const narrow = useMedia('(max-width: 899px)');
  const link = useLinkStatus();
  const { host } = useTransport();
  useHotkeys();
  useAnnouncements();
  useWindowTitle();
  if (link === 'closed' && host === 'http') return <ConnectFailed error={UNPAIRED} />;
  return (
    <TipProvider>
      <div className="grid h-full grid-rows-[40px_minmax(0,1fr)_24px]">
        <TopBar />
        <main aria-label={t(`workspace.${workspace}`)} className="min-h-0 p-1">
          {narrow ? <Narrow /> : <Dock key={`${workspace} ${nonce}`} name={workspace} fresh={nonce > 0} />}
        </main>
        <StatusBar />
      </div>
      <Onboarding />
      <Suspense>
        <Overlays />
      </Suspense>
      <Toaster label={t('top.notifications')} closeLabel={t('action.dismiss')} />
    </TipProvider>
  );
}
