import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/kit/Button';
import { Chip } from '@/kit/Chip';
import * as fmt from '@/lib/format';
import { useAction } from '@/transport/hooks';
import type { Approval } from '@/transport/types';

/** What an agent wants to do, in a sentence, with what it would mean. Deny has no delay; Accept waits half a second. */
export function ApprovalCard({ approval }: { approval: Approval }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const accept = useAction('approvals.accept');
  const deny = useAction('approvals.deny');
  const [armed, setArmed] = useState(false);
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const arm = setTimeout(() => setArmed(true), 500);
    const tick = setInterval(() => setNow(Date.now()), 1_000);
    return () => {
      clearTimeout(arm);
      clearInterval(tick);
    };
  }, []);
  const left = Date.parse(approval.expires_at) - now;
  const pending = approval.state === 'waiting' && left > 0;
  const busy = accept.isPending || deny.isPending;
  const done = () => void queries.invalidateQueries({ queryKey: ['approvals.list'] });
  const error = accept.error ?? deny.error;
  const { preview } = approval;
  return (
    <article className="rounded-md border border-line bg-bg1 p-3" aria-label={approval.sentence}>
      <div className="mb-1 flex items-center gap-2 text-xs text-t2">
        <Chip tone={pending ? 'warn' : 'neutral'}>{pending ? t('approval.waiting') : approval.state}</Chip>
        <span className="flex-1 truncate">{approval.actor}</span>
        <time dateTime={approval.created_at}>{fmt.clock(approval.created_at)}</time>
      </div>
      <p className="font-medium">{approval.sentence}</p>
      {preview ? (
        <dl className="mt-2 grid grid-cols-[auto_1fr] gap-x-3 gap-y-0.5 text-xs">
          <dt className="text-t2">{t('ticket.notional')}</dt>
          <dd className="num">{fmt.money(preview.notional, preview.currency)}</dd>
          <dt className="text-t2">{t('ticket.margin')}</dt>
          <dd className="num">{fmt.money(preview.margin, preview.currency)}</dd>
          {preview.loss_at_stop ? (
            <>
              <dt className="text-t2">{t('ticket.loss')}</dt>
              <dd className="num text-down">{fmt.change(preview.loss_at_stop)}</dd>
            </>
          ) : null}
        </dl>
      ) : null}
      {error ? <p className="mt-2 text-xs text-crit">{error.message}</p> : null}
      {pending ? (
        <div className="mt-2.5 flex items-center gap-2">
          <span className="flex-1 text-xs text-t3">{t('approval.expires', { age: fmt.age(left) })}</span>
          <Button size="sm" disabled={busy} onClick={() => deny.mutate({ id: approval.id }, { onSettled: done })}>
            {t('approval.deny')}
          </Button>
          <Button
            size="sm"
            variant="solid"
            disabled={busy || !armed}
            onClick={() => accept.mutate({ id: approval.id }, { onSettled: done })}
          >
            {t('approval.accept')}
          </Button>
        </div>
      ) : null}
    </article>
  );
}
