/** What the agent is, and whether it is well. */
import { statfs } from 'node:fs/promises';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { LOW_DISK_BYTES } from '../../base/disk.ts';
import { messageOf } from '../../base/errors.ts';
import { kept } from '../../base/kept.ts';
import { AWS_SERVICES, SERVICE_STATES } from '../../base/services.ts';
import { browserChoice } from '../../config/browser-choice.ts';
import { chooseBrowser } from '../../browser/detect.ts';
import type { ApiPorts } from '../ports.ts';
import { answers } from '../problem.ts';
import { isoTime, time } from '../shapes.ts';

const tags = ['system'];

/** What hardly changes is looked at this often, in milliseconds; it costs more than all the rest. */
const FRESH_MS = 2_000;

const check = z.object({
  ok: z.boolean(),
  detail: z.string().describe('For a person.'),
});

const versionSchema = z.object({
  name: z.literal('local-browser-agent'),
  version: z.string(),
  api: z.literal('v1'),
  node: z.string(),
  platform: z.string(),
});

const healthSchema = z.object({
  ok: z.boolean().describe('All checks are well.'),
  checks: z.object({
    database: check,
    browser: check,
    worker: check.extend({ state: z.string() }),
    queue: check.extend({ pending: z.int(), failed: z.int() }),
    services: check.extend({
      items: z.array(
        z.object({
          service: z.enum(AWS_SERVICES),
          state: z.enum(SERVICE_STATES).describe('Of its circuit breaker; `open`: not asked for a while.'),
          since: time.describe('Of this state; while not `closed`: when it began to be held back.'),
          last_error: z.string().nullable(),
          retry_at: time.nullable(),
        }),
      ),
    }),
    disk: check.extend({ free_bytes: z.int(), total_bytes: z.int() }),
  }),
});

type Health = z.infer<typeof healthSchema>;

export function systemRoutes(ports: ApiPorts): FastifyPluginAsyncZod {
  const browserNow = kept(async () => browser(ports), FRESH_MS, ports.clock);
  const diskNow = kept(async () => disk(ports), FRESH_MS, ports.clock);
  return async (app) => {
    app.get(
      '/version',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'getVersion',
          summary: 'Version of the agent',
          tags,
          response: answers({ 200: versionSchema }),
        },
      },
      async () => ({
        name: 'local-browser-agent' as const,
        version: ports.version,
        api: 'v1' as const,
        node: process.versions.node,
        platform: `${process.platform}-${process.arch}`,
      }),
    );

    app.get(
      '/health',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'getHealth',
          summary: 'Whether database, browser, worker, upload queue, AWS services and disk are well',
          tags,
          response: answers({ 200: healthSchema }),
        },
      },
      async () => {
        const checks: Health['checks'] = {
          database: database(ports),
          browser: await browserNow(),
          worker: worker(ports),
          queue: queue(ports),
          services: services(ports),
          disk: await diskNow(),
        };
        return { ok: Object.values(checks).every(({ ok }) => ok), checks };
      },
    );
  };
}

function database({ db }: ApiPorts): Health['checks']['database'] {
  try {
    db.prepare('SELECT 1').get();
    return { ok: true, detail: 'answers' };
  } catch (thrown) {
    return { ok: false, detail: messageOf(thrown) };
  }
}

export async function browser({ config }: ApiPorts): Promise<Health['checks']['browser']> {
  try {
    const found = await chooseBrowser(browserChoice(config.settings.browser));
    return { ok: true, detail: `${found.name} (${found.executablePath})` };
  } catch (thrown) {
    return { ok: false, detail: messageOf(thrown) };
  }
}

function worker(ports: ApiPorts): Health['checks']['worker'] {
  if (!ports.worker) return { ok: true, state: 'none', detail: 'No activity is worked for.' };
  const { state, detail } = ports.worker.status();
  return { ok: state === 'working' || state === 'paused', state, detail: detail || state };
}

function queue({ uploads }: ApiPorts): Health['checks']['queue'] {
  const { pending, failed, held, lastError } = uploads.status();
  const why = held.map(({ bucket, message }) => `${bucket}: ${message}`).join('; ');
  return {
    ok: failed === 0 && held.length === 0 && lastError === null,
    pending,
    failed,
    detail: why || lastError || `${pending} pending, ${failed} failed`,
  };
}

/** As far as this agent has asked them: one that was never called counts as well. */
function services({ resilience }: ApiPorts): Health['checks']['services'] {
  const all = resilience.health();
  const failing = all.filter(({ state }) => state !== 'closed');
  const detail = failing.map(({ service, lastError }) => `${service}: ${lastError ?? 'failing'}`).join('; ');
  return {
    ok: failing.length === 0,
    detail: detail || 'none is failing',
    items: all.map(({ service, state, since, lastError, retryAt }) => ({
      service,
      state,
      since: isoTime(since),
      last_error: lastError,
      retry_at: isoTime(retryAt),
    })),
  };
}

export async function disk({ paths }: ApiPorts): Promise<Health['checks']['disk']> {
  try {
    const { bavail, blocks, bsize } = await statfs(paths.home);
    const free = bavail * bsize;
    const detail = `${(free / 1e9).toFixed(1)} GB are free`;
    return { ok: free >= LOW_DISK_BYTES, free_bytes: free, total_bytes: blocks * bsize, detail };
  } catch (thrown) {
    return { ok: false, free_bytes: 0, total_bytes: 0, detail: messageOf(thrown) };
  }
}
