import { useTranslation } from 'react-i18next';
import { Button } from '@/kit/Button';
import type { TransportError } from '@/transport/Transport';

/** Shown instead of the workstation when this page may not talk to the engine. */
export function ConnectFailed({ error }: { error: TransportError }) {
  const { t } = useTranslation();
  const unpaired = error.code === 'unpaired';
  return (
    <main className="flex h-full items-center justify-center p-6">
      <div className="max-w-md rounded-md border border-line bg-bg1 p-6">
        <h1 className="mb-2 text-lg font-semibold">{t(unpaired ? 'connect.unpairedTitle' : 'connect.failedTitle')}</h1>
        <p className="text-t2">{t(unpaired ? 'connect.unpairedText' : 'connect.failedText')}</p>
        {unpaired ? (
          <pre className="mt-3 rounded-sm bg-bg0 p-3 font-mono selectable">candlewick run</pre>
        ) : (
          <Button className="mt-4" variant="solid" onClick={() => window.location.reload()}>
            {t('action.retry')}
          </Button>
        )}
        <p className="mt-3 font-mono text-xs text-t3 selectable">
          {error.code}: {error.message}
        </p>
      </div>
    </main>
  );
}
