import { fileURLToPath } from 'node:url';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { cspSafeStyles } from './scripts/csp-safe-styles.mjs';

const src = fileURLToPath(new URL('./src', import.meta.url));

export default defineConfig({
  plugins: [cspSafeStyles(), react(), tailwindcss()],
  resolve: {
    alias: [
      // Radix locks scrolling through a <style> element, which our CSP refuses; ours uses a constructed sheet.
      { find: 'react-style-singleton', replacement: `${src}/lib/styleSingleton.ts` },
      { find: '@', replacement: src },
    ],
  },
  server: { port: 5173, strictPort: true },
  build: {
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
    chunkSizeWarningLimit: 1200,
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['src/test/setup.ts'],
    include: ['src/**/*.test.{ts,tsx}'],
    css: false,
    testTimeout: 30_000,
    restoreMocks: true,
  },
});
