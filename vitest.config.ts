import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'agent/**/*.test.ts',
      'electron/**/*.test.ts',
      'renderer/src/**/*.test.ts',
      'resources/aws/*.test.ts',
      'test/{integration,e2e,faults,security}/**/*.test.ts',
    ],
    // Most tests wait for a browser most of the time; left to itself, Vitest keeps a processor free.
    maxWorkers: availableParallelism(),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A machine can be busy; what never comes is still noticed before the test's own time is over.
    expect: { poll: { timeout: 20_000 } },
    coverage: {
      provider: 'v8',
      include: ['agent/**/*.ts'],
      // agent/recording/page/ runs inside pages, where V8's coverage of this process does not reach.
      exclude: ['agent/**/*.test.ts', 'agent/recording/page/**', 'agent/recording/page-script.ts'],
      reporter: ['text-summary', 'json-summary'],
      thresholds: { 'agent/script/**': { branches: 95 }, 'agent/recording/**': { branches: 95 } },
    },
  },
});
