import { Suspense } from 'react';
import { lazily } from '@/lib/lazily';
import { useUi } from '@/lib/ui';

const Palette = lazily(() => import('./Palette').then((m) => ({ default: m.Palette })));
const Shortcuts = lazily(() => import('./Shortcuts').then((m) => ({ default: m.Shortcuts })));
const About = lazily(() => import('./About').then((m) => ({ default: m.About })));
const ReviewOrder = lazily(() => import('@/features/orders/ReviewOrder').then((m) => ({ default: m.ReviewOrder })));
const ClosePosition = lazily(() =>
  import('@/features/blotter/ClosePosition').then((m) => ({ default: m.ClosePosition })),
);
const CloseAll = lazily(() => import('@/features/blotter/ClosePosition').then((m) => ({ default: m.CloseAll })));
const Explain = lazily(() => import('@/features/decisions/Explain').then((m) => ({ default: m.Explain })));
const HaltOptions = lazily(() => import('@/features/risk/HaltDialogs').then((m) => ({ default: m.HaltOptions })));
const Resume = lazily(() => import('@/features/risk/HaltDialogs').then((m) => ({ default: m.Resume })));

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
