import type { RunEngineOptions } from './engine-options.ts';
import type { RunExecutor } from './types.ts';

/** The run engine, loaded with the first run: an agent that has run nothing yet does not hold Playwright in memory. */
export function lazyEngine(options: RunEngineOptions): RunExecutor {
  let loading: Promise<RunExecutor> | null = null;
  return {
    execute: async (request, control) => {
      loading ??= import('./engine.ts').then(({ RunEngine }) => new RunEngine(options));
      return (await loading).execute(request, control);
    },
  };
}
