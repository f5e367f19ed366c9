import { lazy, Suspense } from 'react';
import { useUi } from '@/lib/ui';

const Palette = lazy(() => import('./Palette').then((m) => ({ default: m.Palette })));
const Shortcuts = lazy(() => import('./Shortcuts').then((m) => ({ default: m.Shortcuts })));
const About = lazy(() => import('./About').then((m) => ({ default: m.About })));
const ReviewOrder = lazy(() => import('@/features/orders/ReviewOrder').then((m) => ({ default: m.ReviewOrder })));
const ClosePosition = lazy(() =>
  import('@/features/blotter/ClosePosition').then((m) => ({ default: m.ClosePosition })),
);
const CloseAll = lazy(() => import('@/features/blotter/ClosePosition').then((m) => ({ default: m.CloseAll })));
const Explain = lazy(() => import('@/features/decisions/Explain').then((m) => ({ default: m.Explain })));
const HaltOptions = lazy(() => import('@/features/risk/HaltDialogs').then((m) => ({ default: m.HaltOptions })));
const Resume = lazy(() => import('@/features/risk/HaltDialogs').then((m) => ({ default: m.Resume })));

/** The dialog that is open, if any. Each is its own chunk. */
export function Overlays() {
  const overlay = useUi((s) => s.overlay);
  if (!overlay) return null;
  const body = (() => {
    switch (overlay.kind) {
      case 'palette':
        return <Palette initial={overlay.query} />;
      case 'shortcuts':
        return <Shortcuts />;
      case 'about':
        return <About />;
      case 'review':
        return <ReviewOrder order={overlay.order} preview={overlay.preview} />;
      case 'close-position':
        return <ClosePosition position={overlay.position} />;
      case 'close-all':
        return <CloseAll positions={overlay.positions} />;
      case 'explain':
        return <Explain id={overlay.id} title={overlay.title} />;
      case 'halt-options':
        return <HaltOptions />;
      case 'resume':
        return <Resume />;
    }
  })();
  return <Suspense>{body}</Suspense>;
}
