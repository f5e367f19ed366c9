import { cleanup, configure } from '@testing-library/react';
import { afterEach, beforeAll } from 'vitest';
import { i18next, startI18n } from '@/i18n';

// A machine that compiles beside the tests is slow, and no test is about that.
configure({ asyncUtilTimeout: 10_000 });

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
for (const [name, size] of Object.entries({ offsetHeight: 400, offsetWidth: 900, clientHeight: 400, clientWidth: 900 }))
  Object.defineProperty(HTMLElement.prototype, name, { configurable: true, get: () => size });

beforeAll(async () => {
  if (!i18next.isInitialized) await startI18n('en');
});
afterEach(cleanup);
