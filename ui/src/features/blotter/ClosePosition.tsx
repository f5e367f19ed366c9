import type { Position } from '@/transport/types';
export const ClosePosition = (_: { position: Position }) => null;
export const CloseAll = (_: { positions: Position[] }) => null;
