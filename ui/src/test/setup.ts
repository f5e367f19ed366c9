import { cleanup } from '@testing-library/react';
import { afterEach, beforeAll } from 'vitest';
import { i18next, startI18n } from '@/i18n';

// jsdom lays nothing out; what the components measure gets a plain size.
globalThis.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
};
globalThis.matchMedia ??= ((query: string) => ({
  matches: false,
  media: query,
  addEventListener() {},
  removeEventListener() {},
})) as unknown as typeof matchMedia;
Element.prototype.scrollIntoView ??= () => {};
Element.prototype.scrollTo ??= (() => {}) as typeof Element.prototype.scrollTo;
Element.prototype.hasPointerCapture ??= () => false;
Object.defineProperty(HTMLElement.prototype, 'offsetHeight', { configurable: true, get: () => 400 });
Object.defineProperty(HTMLElement.prototype, 'offsetWidth', { configurable: true, get: () => 900 });

beforeAll(async () => {
  if (!i18next.isInitialized) await startI18n('en');
});
afterEach(cleanup);
