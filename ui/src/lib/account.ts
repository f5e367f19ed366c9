import { useLive } from '@/transport/live';
import type { Account } from '@/transport/types';

/** The account the screen trades on: the first one. Choosing among several comes with the second broker. */
export function useAccount(): Account | undefined {
  return useLive('accounts', {}).data?.[0];
}
