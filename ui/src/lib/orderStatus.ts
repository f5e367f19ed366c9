import type { OrderStatus } from '@/transport/types';

const OVER: ReadonlySet<OrderStatus> = new Set(['denied', 'rejected', 'not_accepted', 'filled', 'canceled', 'expired']);

/** Nothing more can happen to the order. An `unknown` one is still open: the venue has not told. */
export const isOver = (status: OrderStatus): boolean => OVER.has(status);
export const isWorking = (status: OrderStatus): boolean => !OVER.has(status);
