import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ApprovalCard } from '@/features/automation/ApprovalCard';
import { Popover } from '@/kit/Popover';
import { useLive } from '@/transport/live';

/** What waits for the person: approvals asked for by agents. */
export function Notifications({ icon }: { icon: ReactNode }) {
  const { t } = useTranslation();
  const waiting = (useLive('approvals', {}).data ?? []).filter((each) => each.state === 'waiting');
  return (
    <Popover
      label={t('top.notifications')}
      align="end"
      className="max-h-[70vh] w-96 overflow-auto"
      trigger={
        <button
          type="button"
          aria-label={waiting.length ? t('top.notificationsCount', { count: waiting.length }) : t('top.notifications')}
          className="relative flex size-7 items-center justify-center rounded-sm text-t2 hover:bg-bg3 hover:text-t1"
        >
          {icon}
          {waiting.length ? (
            <span aria-hidden className="absolute top-1 right-1 size-1.5 rounded-full bg-crit" />
          ) : null}
        </button>
      }
    >
      {waiting.length === 0 ? (
        <p className="p-2 text-t2">{t('top.nothing')}</p>
      ) : (
        <div className="flex flex-col gap-2">
          {waiting.map((approval) => (
            <ApprovalCard key={approval.id} approval={approval} />
          ))}
        </div>
      )}
    </Popover>
  );
}
