import { Inbox } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { EmptyState, ErrorState, Skeleton } from '@/kit/states';
import { useLive } from '@/transport/live';
import { ApprovalCard } from './ApprovalCard';

export function Approvals() {
  const { t } = useTranslation();
  const { data, error } = useLive('approvals', {});
  if (error && !data)
    return (
      <ErrorState
        message={error.message}
        code={error.code}
        retryLabel={t('action.retry')}
        copyLabel={t('action.copyDetails')}
      />
    );
  if (!data) return <Skeleton label={t('state.loading')} />;
  if (data.length === 0)
    return (
      <EmptyState icon={<Inbox />} title={t('approval.empty')}>
        {t('approval.emptyText')}
      </EmptyState>
    );
  const sorted = [...data].sort((a, b) => Number(b.state === 'waiting') - Number(a.state === 'waiting'));
  return (
    <div
      tabIndex={0}
      role="group"
      aria-label={t('panel.approvals')}
      className="flex h-full flex-col gap-2 overflow-auto p-2.5"
    >
      {sorted.map((approval) => (
        <ApprovalCard key={approval.id} approval={approval} />
      ))}
    </div>
  );
}
