import { defineConfig, type OxlintOverride } from 'oxlint';

/**
 * Which folder of agent/ may import which: data, so that the direction of every dependency is written
 * down once. A folder may always import itself and agent/base.
 */
const allowedImports: Record<string, string[]> = {
  base: [],
  script: [],
  store: [],
  aws: [],
  audit: ['store'],
  journal: ['store'],
  metrics: ['aws', 'script', 'store'],
  telemetry: ['metrics'],
  config: ['aws', 'store'],
  recording: ['script'],
  fence: [],
  browser: ['fence', 'script', 'store'],
  uploads: ['store', 'aws'],
  runs: ['script', 'browser', 'recording', 'store', 'uploads'],
  activity: ['script', 'runs', 'store', 'aws', 'uploads'],
  sandbox: [],
  setup: ['aws', 'browser', 'config', 'runs', 'sandbox', 'script', 'store'],
  live: ['recording', 'runs'],
  api: [
    'aws',
    'script',
    'browser',
    'store',
    'uploads',
    'runs',
    'config',
    'audit',
    'metrics',
    'journal',
    'live',
    'recording',
    'setup',
  ],
  // Of `api` only where its address and key are written; of `store` only whether an agent works.
  client: ['api', 'store'],
  // The rest only as types: what it steers is put together in agent/desktop.ts.
  desktop: ['config'],
  import: ['script', 'browser', 'config'],
  cli: [
    'import',
    'script',
    'browser',
    'recording',
    'store',
    'uploads',
    'runs',
    'activity',
    'config',
    'aws',
    'sandbox',
    'audit',
    'api',
    'client',
    'setup',
  ],
};

const folders = Object.keys(allowedImports);

/** There is one wait, which ends with the reason of its signal. */
const oneWait = {
  name: 'node:timers/promises',
  importNames: ['setTimeout'],
  message: 'Wait with wait() of agent/base/wait.ts, or with the clock that came in.',
};

export default defineConfig({
  plugins: ['typescript', 'import', 'unicorn', 'promise', 'vitest', 'react', 'jsx-a11y'],
  categories: { correctness: 'error', suspicious: 'error' },
  rules: {
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/consistent-type-imports': 'error',
    'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    'import/no-cycle': 'error',
    // A RegExp made of a text can take for ever, and the whole agent with it.
    'no-restricted-globals': [
      'error',
      {
        name: 'RegExp',
        message: 'Write a literal, or take the pattern through agent/base/pattern.ts, which limits its time.',
      },
    ],
    'import/no-unassigned-import': 'off',
    // JSX is compiled with the automatic runtime.
    'react/react-in-jsx-scope': 'off',
    // An effect that begins anew with another value resets what it had found; and one may run at a change alone.
    'react/set-state-in-effect': 'off',
    'react/exhaustive-effect-dependencies': 'off',
    // `output` is for results of calculations; screen readers know `role="status"` better.
    'jsx-a11y/prefer-tag-over-role': 'off',
    // fast-check is written fc.property(…) everywhere.
    'import/no-named-as-default-member': 'off',
    'no-await-in-loop': 'off',
    'no-shadow': 'off',
    'no-underscore-dangle': 'off',
    'unicorn/consistent-function-scoping': 'off',
    // `then` is a key of the script format, never a function.
    'unicorn/no-thenable': 'off',
    'unicorn/no-array-sort': 'off',
    // The compiler checks exhaustive switches; this rule does not know them.
    'typescript/consistent-return': 'off',
    'typescript/no-unsafe-type-assertion': 'off',
    'typescript/no-unnecessary-type-assertion': 'off',
    'vitest/no-conditional-tests': 'off',
    // A test that asserts more where more is there; what must hold always stands outside the condition.
    'vitest/no-conditional-expect': 'off',
    'vitest/require-to-throw-message': 'off',
    // Vitest takes a message as the second argument.
    'vitest/valid-expect': ['error', { maxArgs: 2 }],
    'vitest/expect-expect': [
      'error',
      { assertFunctionNames: ['expect*', 'fc.assert', 'assert*', 'until', '*.viewport'] },
    ],
    'vitest/require-mock-type-parameters': 'off',
  },
  overrides: [
    {
      files: ['renderer/**'],
      rules: {
        // The compiler's rule takes typed queries (`query.useQuery(…)`) and the router's `hook` for wrong;
        // react/rules-of-hooks holds.
        'react/hooks': 'off',
        'react/rules-of-hooks': 'error',
        // The one frame shows a page of the agent's own, which needs its scripts and its origin.
        'react/iframe-missing-sandbox': 'off',
        'promise/always-return': ['error', { ignoreLastCallback: true }],
      },
    },
    {
      files: ['electron/**/*.ts'],
      rules: {
        'no-restricted-imports': [
          'error',
          {
            paths: [oneWait],
            patterns: [
              {
                regex: '/agent/(?!base/|client/)',
                message: 'The shell speaks to the agent by messages and over its API: only base and client.',
              },
              { regex: '/renderer/(?!src/bridge)', message: 'Of the page only the type of the bridge.' },
            ],
          },
        ],
      },
    },
    {
      files: ['agent/base/pattern.ts', '**/*.test.ts', 'test/**', 'resources/aws/**'],
      rules: { 'no-restricted-globals': 'off' },
    },
    // A construct of CDK enters its stack by being made.
    { files: ['resources/aws/*.ts'], rules: { 'no-new': 'off' } },
    ...folders.map((folder): OxlintOverride => {
      const forbidden = folders.filter(
        (other) => other !== folder && other !== 'base' && !allowedImports[folder]!.includes(other),
      );
      return {
        files: [`agent/${folder}/**/*.ts`],
        rules: {
          'no-restricted-imports': [
            'error',
            {
              paths: [oneWait],
              patterns: [
                {
                  group: [
                    ...forbidden.map((other) => `**/${other}/**`),
                    ...['electron', 'aws-cdk-lib', 'constructs'].flatMap((name) => [name, `${name}/**`]),
                  ],
                  message: `agent/${folder} may import only base${allowedImports[folder]!.map((name) => `, ${name}`).join('')} (see oxlint.config.ts).`,
                },
              ],
            },
          ],
        },
      };
    }),
  ],
  ignorePatterns: ['dist', 'coverage', 'node_modules', 'resources/portal'],
});
