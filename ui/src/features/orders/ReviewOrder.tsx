import type { OrderArgs, OrderPreview } from '@/transport/types';
export const ReviewOrder = (_: { order: OrderArgs; preview: OrderPreview }) => null;
