/**
 * Bundles the agent: the command line and the desktop's process, with the parts that they share and those that
 * are loaded on first use. A start reads some files instead of hundreds, which takes a third less time and
 * 15 MB less. What few starts need, has native parts or reads files of its own stays a package beside it; each is
 * one that package.json names, so that it is found from here.
 */
import http from 'node:http';
import { dirname, join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

const PACKAGES_BESIDE = [
  '@fastify/swagger-ui',
  '@opentelemetry/api',
  '@opentelemetry/exporter-metrics-otlp-http',
  '@opentelemetry/exporter-trace-otlp-http',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-metrics',
  '@opentelemetry/sdk-trace',
  '@puppeteer/browsers',
  'aws-local-stepfunctions',
  'better-sqlite3',
  'fauxqs',
  'playwright',
  'sharp',
];

/** Parts of Fastify that it loads only where an application asks for them; ours never does. */
const NEVER_LOADED = ['@fastify/ajv-compiler', '@fastify/fast-json-stringify-compiler', 'light-my-request'];

/** What `node:http` has, but for what Node loads when it is first asked for. */
const HTTP_NAMES = Object.entries(Object.getOwnPropertyDescriptors(http))
  .filter(([, property]) => 'value' in property)
  .map(([name]) => name);

/**
 * `node:http` by another way than `import`: an import asks for every name of it, and so loads Node's fetch and
 * WebSocket, which the agent does not use. That alone takes 50 ms and 16 MB (Node 26).
 */
const plainHttp: Plugin = {
  name: 'plain-http',
  enforce: 'pre',
  resolveId: (id, _importer, { kind }) =>
    (id === 'http' || id === 'node:http') && kind !== 'require-call' ? '\0plain-http' : null,
  load: (id) =>
    id === '\0plain-http'
      ? `const http = process.getBuiltinModule('node:http');\nexport const { ${HTTP_NAMES.join(', ')} } = http;\nexport default http;`
      : null,
};

const WORKER_URL = /new URL\('(\.\/[\w-]+-worker\.ts)', import\.meta\.url\)/g;

/** The program of a thread is a file of its own: `new URL('./name-worker.ts', import.meta.url)` becomes its place. */
const workerFiles: Plugin = {
  name: 'worker-files',
  enforce: 'pre',
  transform(code, id) {
    if (!code.includes('-worker.ts')) return null;
    return code.replaceAll(WORKER_URL, (_all, path: string) => {
      const file = this.emitFile({ type: 'chunk', id: join(dirname(id), path) });
      return `import.meta.ROLLDOWN_FILE_URL_${file}`;
    });
  },
  resolveFileUrl: ({ relativePath }) => `new URL('${relativePath}', import.meta.url)`,
};

/** One letter beyond Latin-1 in a file, and V8 keeps all of it at two bytes a letter. */
const oneByte: Plugin = {
  name: 'one-byte',
  generateBundle: (_options, bundle) => {
    for (const file of Object.values(bundle)) {
      if (file.type === 'chunk') file.code = file.code.replaceAll(/\P{ASCII}/gu, escaped);
    }
  },
};

/** As it may be written in a string, a template and a regular expression. */
function escaped(letter: string): string {
  return letter
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}

export default defineConfig({
  root: import.meta.dirname,
  publicDir: false,
  plugins: [plainHttp, workerFiles, oneByte],
  ssr: { noExternal: true, external: [...PACKAGES_BESIDE, ...NEVER_LOADED] },
  build: {
    ssr: true,
    target: 'node22',
    outDir: '../dist/agent',
    emptyOutDir: true,
    // Its text stays in memory: 5 MB as it is written.
    minify: true,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 3_000,
    rolldownOptions: {
      input: { desktop: 'agent/desktop.ts', 'cli/main': 'agent/cli/main.ts' },
      output: { entryFileNames: '[name].js', chunkFileNames: 'parts/[name]-[hash].js', keepNames: true },
    },
  },
});
