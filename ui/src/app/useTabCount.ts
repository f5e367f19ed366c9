import { isWorking } from '@/lib/orderStatus';
import { useLive } from '@/transport/live';

/** The number a tab shows after its title, `null` for none. */
export function useTabCount(kind: string): number | null {
  const positions = useLive('positions', kind === 'positions' ? {} : null).data;
  const orders = useLive('orders', kind === 'orders' ? {} : null).data;
  const fills = useLive('fills', kind === 'fills' ? {} : null).data;
  const approvals = useLive('approvals', kind === 'approvals' ? {} : null).data;
  const jobs = useLive('jobs', kind === 'jobs' ? {} : null).data;
  const health = useLive('health', kind === 'health' ? {} : null).data;
  const count =
    positions?.positions.length ??
    orders?.filter((order) => isWorking(order.status)).length ??
    fills?.length ??
    approvals?.filter((each) => each.state === 'waiting').length ??
    jobs?.filter((job) => job.state === 'running' || job.state === 'queued').length ??
    health?.components.filter((each) => each.status === 'degraded' || each.status === 'down').length;
  return count ? count : null;
}
