/**
 * Bundles main process and preload into CommonJS files: the main process so that it loads fast from one
 * place, the preload because a sandboxed one can be nothing else. One build each, so that they share no file:
 * `vite build electron` makes the main process, with `--mode preload` the preload.
 */
import { builtinModules } from 'node:module';
import { defineConfig } from 'vite';

export default defineConfig(({ mode }) => {
  const name = mode === 'preload' ? 'preload' : 'main';
  return {
    root: import.meta.dirname,
    publicDir: false,
    build: {
      // Node of Electron 25, the oldest that both run on.
      target: 'node18',
      outDir: '../dist/electron',
      emptyOutDir: name === 'main',
      minify: false,
      reportCompressedSize: false,
      chunkSizeWarningLimit: 1_000,
      lib: { entry: `${name}.ts`, formats: ['cjs'], fileName: () => `${name}.cjs` },
      rolldownOptions: {
        external: ['electron', /^node:/, ...builtinModules],
        output: { chunkFileNames: 'part-[name].cjs' },
      },
    },
  };
});
