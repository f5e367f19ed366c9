import { ArrowDown, CandlestickChart, CircleCheck, GitBranch, Send, ShieldCheck, Sigma } from 'lucide-react';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Dialog } from '@/kit/Dialog';
import { EmptyState, ErrorState, Skeleton } from '@/kit/states';
import * as fmt from '@/lib/format';
import { useUi } from '@/lib/ui';
import { useCommand } from '@/transport/hooks';
import type { ExplainStep } from '@/transport/types';

const ICONS: [RegExp, typeof Send][] = [
  [/candle|market|trade|quote/, CandlestickChart],
  [/signal|decision|strategy/, Sigma],
  [/risk|gate|approv/, ShieldCheck],
  [/order|intent|sent|submit/, Send],
  [/fill/, CircleCheck],
];

const show = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : typeof value === 'object' && value !== null
      ? JSON.stringify(value)
      : String(value);

/** Why did it trade: the journal's steps from the market to the fill, each with what caused it. */
export function Explain({ id, title }: { id: string; title: string }) {
  const { t } = useTranslation();
  const close = useUi((s) => s.close);
  const query = useCommand('journal.explain', { id }, { staleTime: 10_000, retry: false });
  const steps = [...(query.data?.steps ?? [])].sort((a, b) => a.seq - b.seq);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && close()}
      side
      width="w-[480px]"
      title={t('explain.title', { title })}
      description={t('explain.text')}
      closeLabel={t('action.close')}
    >
      {query.isPending ? <Skeleton label={t('state.loading')} rows={6} /> : null}
      {query.error ? (
        <ErrorState
          message={query.error.message}
          code={query.error.code}
          retryLabel={t('action.retry')}
          copyLabel={t('action.copyDetails')}
          onRetry={() => void query.refetch()}
        />
      ) : null}
      {query.data && steps.length === 0 ? (
        <EmptyState title={t('explain.empty')}>{t('explain.emptyText')}</EmptyState>
      ) : null}
      <ol className="flex flex-col">
        {steps.map((step, i) => (
          <Step key={step.seq} step={step} last={i === steps.length - 1} />
        ))}
      </ol>
    </Dialog>
  );
}

function Step({ step, last }: { step: ExplainStep; last: boolean }) {
  const { t } = useTranslation();
  const row = useRef<HTMLLIElement>(null);
  const Icon = ICONS.find(([pattern]) => pattern.test(step.kind))?.[1] ?? GitBranch;
  const details = Object.entries(step.detail ?? {});
  return (
    <li ref={row} id={`step-${step.seq}`} tabIndex={-1} className="group flex gap-3">
      <div className="flex flex-col items-center">
        <span className="flex size-7 shrink-0 items-center justify-center rounded-full border border-line bg-bg2">
          <Icon aria-hidden className="size-3.5 text-accent" />
        </span>
        {last ? null : <span aria-hidden className="w-px flex-1 bg-line" />}
      </div>
      <div className="min-w-0 flex-1 pb-4">
        <div className="flex items-baseline gap-2">
          <h3 className="flex-1 font-medium">{step.title}</h3>
          <time className="text-xs text-t2" title={fmt.dateFull(step.time)}>
            {fmt.clockMillis(step.time)}
          </time>
        </div>
        <p className="flex items-center gap-2 font-mono text-xs text-t3">
          #{step.seq} {step.kind}
          {step.caused_by === null || step.caused_by === undefined ? null : (
            <button
              type="button"
              className="flex min-h-6 items-center gap-0.5 text-accent hover:underline"
              onClick={() => document.getElementById(`step-${step.caused_by}`)?.focus()}
            >
              <ArrowDown aria-hidden className="size-3 rotate-180" />
              {t('explain.causedBy', { seq: step.caused_by })}
            </button>
          )}
        </p>
        {details.length ? (
          <dl className="mt-1 grid grid-cols-[auto_1fr] gap-x-3 gap-y-0.5 rounded-sm bg-bg2 px-2 py-1.5 font-mono text-xs">
            {details.map(([name, value]) => (
              <div key={name} className="contents">
                <dt className="text-t2">{name}</dt>
                <dd className="min-w-0 break-words selectable">{show(value)}</dd>
              </div>
            ))}
          </dl>
        ) : null}
      </div>
    </li>
  );
}
