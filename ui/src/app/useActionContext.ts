import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { ActionContext } from '@/commands/registry';
import { toast } from '@/kit/toasts';
import { useAccount } from '@/lib/account';
import { useTransport } from '@/transport/hooks';
import { TransportError } from '@/transport/Transport';
import { useHalt } from './useHalt';

export function useActionContext(): ActionContext {
  const { t } = useTranslation();
  const transport = useTransport();
  const account = useAccount();
  const { halted, halt } = useHalt();
  return useMemo(
    () => ({
      transport,
      account,
      halted,
      halt,
      fail(cause) {
        const error = TransportError.from(cause);
        toast({
          tone: 'crit',
          cause: error.code,
          title: t('error.commandFailed'),
          detail: `${error.message} (${error.code})`,
        });
      },
    }),
    [transport, account, halted, halt, t],
  );
}
