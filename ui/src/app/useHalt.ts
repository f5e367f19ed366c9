import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import { toast } from '@/kit/toasts';
import { useAccount } from '@/lib/account';
import { useUi } from '@/lib/ui';
import { useCommand, useTransport } from '@/transport/hooks';
import { TransportError } from '@/transport/Transport';

/** One step and no question: stops automation and new orders, then offers what may come next. */
export function useHalt() {
  const { t } = useTranslation();
  const transport = useTransport();
  const queries = useQueryClient();
  const account = useAccount();
  const risk = useCommand('risk.show', {});
  const halted = account?.halted ?? risk.data?.halted ?? false;
  const halt = useCallback(() => {
    transport
      .call('risk.halt', { reason: 'halted from the screen' }, { timeoutMs: 5_000 })
      .then(() => {
        useUi.getState().open({ kind: 'halt-options' });
        return queries.invalidateQueries({ queryKey: ['risk.show'] });
      })
      .catch((cause) => {
        const error = TransportError.from(cause);
        toast({
          tone: 'crit',
          cause: 'halt',
          title: t('halt.failed'),
          detail: error.message,
          stays: null,
          actions: [{ label: t('action.retry'), run: () => halt() }],
        });
      });
  }, [transport, queries, t]);
  return { halted, halt };
}
