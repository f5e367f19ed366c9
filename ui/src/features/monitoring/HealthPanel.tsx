import { useTranslation } from 'react-i18next';
import { cx } from '@/kit/cx';
import { type Status, StatusDot } from '@/kit/StatusDot';
import { ErrorState, Skeleton } from '@/kit/states';
import * as fmt from '@/lib/format';
import { useLive } from '@/transport/live';
import type { HealthComponent } from '@/transport/types';

/** Components in the order of a tree: every child right after its parent. */
export function asTree(components: readonly HealthComponent[]): { component: HealthComponent; depth: number }[] {
  const rows: { component: HealthComponent; depth: number }[] = [];
  const names = new Set(components.map((each) => each.name));
  const add = (component: HealthComponent, depth: number) => {
    rows.push({ component, depth });
    for (const child of components)
      if (child.parent === component.name && child !== component && depth < 6) add(child, depth + 1);
  };
  for (const component of components) if (!component.parent || !names.has(component.parent)) add(component, 0);
  return rows;
}

export function HealthPanel() {
  const { t } = useTranslation();
  const { data, error } = useLive('health', {});
  if (error && !data)
    return (
      <ErrorState
        message={error.message}
        code={error.code}
        retryLabel={t('action.retry')}
        copyLabel={t('action.copyDetails')}
      />
    );
  if (!data) return <Skeleton label={t('state.loading')} rows={10} />;
  return (
    <ul aria-label={t('panel.health')} tabIndex={0} className="h-full overflow-auto py-1">
      <li className="flex h-6.5 items-center gap-2.5 px-3">
        <StatusDot status={data.status} label={data.status} />
        <span className="flex-1 font-medium">{t('status.engine', { version: data.version })}</span>
        <span className="text-t2">{fmt.uptime(data.uptime_s)}</span>
      </li>
      {asTree(data.components).map(({ component, depth }) => (
        <li
          key={`${component.parent ?? ''} ${component.name}`}
          className="flex h-6.5 items-center gap-2.5 px-3"
          style={{ paddingLeft: 12 + depth * 16 }}
        >
          <StatusDot status={component.status as Status} label={component.status} />
          <span className="shrink-0 font-medium">{component.name}</span>
          <span
            className={cx('min-w-0 flex-1 truncate text-right', component.status === 'ok' ? 'text-t2' : 'text-warn')}
            title={[component.detail, t('monitor.since', { time: fmt.dateFull(component.since) })]
              .filter(Boolean)
              .join(' · ')}
          >
            {component.detail}
          </span>
        </li>
      ))}
    </ul>
  );
}
