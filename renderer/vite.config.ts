import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The window's page. Everything it needs is in these files: nothing is loaded from the network. */
export default defineConfig({
  root: import.meta.dirname,
  // Served below /app/ by the agent and at the root of the window's own scheme.
  base: './',
  plugins: [react()],
  build: {
    outDir: '../dist/renderer',
    emptyOutDir: true,
    // Chrome of Electron 25 and later, and the browsers of today.
    target: 'chrome114',
    // The policy of the page allows no `data:` scripts or fonts.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1_500,
  },
});
