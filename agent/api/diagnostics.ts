/**
 * What helps whoever helps: versions, settings with where they come from, health, checks, the end of log,
 * audit and events, the last runs without what they brought. No secrets: masked by value, by name, by form.
 */
import { zipSync } from 'fflate';
import { maskSensitive } from '../base/mask-sensitive.ts';
import { messageOf } from '../base/errors.ts';
import { readLog } from '../base/log-reader.ts';
import { redactText } from '../base/log.ts';
import type { JsonObject } from '../base/words.ts';
import { doctor } from '../config/doctor.ts';
import { machineChecks } from '../setup/machine-checks.ts';
import { wireEvent } from '../journal/index.ts';
import { shownRun } from './run-shapes.ts';
import type { ApiPorts } from './ports.ts';

const LOG_LINES = 2_000;
const RUNS = 20;
const AUDIT_ROWS = 200;
const EVENTS = 500;

/** @returns a ZIP */
export async function diagnosticsOf(ports: ApiPorts): Promise<Buffer> {
  const { config, runs, audit, journal, paths, resilience, uploads } = ports;
  const { newest } = journal.store.bounds();
  const parts: Record<string, () => unknown> = {
    'about.json': () => about(ports),
    'settings.json': () => ({ settings: config.explain(), problems: config.problems }),
    'health.json': () => ({
      worker: ports.worker?.status() ?? null,
      services: resilience.health(),
      uploads: uploads.status(),
    }),
    'checks.json': () => checks(ports),
    'log.json': () => readLog(paths.logFile, { before: null, limit: LOG_LINES }).lines,
    'runs.json': () =>
      runs.list({ limit: RUNS }).map((run) => ({ ...shownRun(run), steps: runs.steps(run.run_id) })),
    'audit.json': () => audit.list({ limit: AUDIT_ROWS }),
    'events.json': () =>
      journal.store.after(newest - EVENTS, EVENTS).map((row) => JSON.parse(wireEvent(row).json) as unknown),
  };
  const files: Record<string, Uint8Array> = {
    'README.txt': Buffer.from(
      'Diagnostics of Local Browser Agent. Passwords, tokens and other secrets are left out. Look through it before you send it: names of scripts, profiles and web addresses are in it.\n',
    ),
  };
  for (const [name, make] of Object.entries(parts)) {
    let content: unknown;
    try {
      content = await make();
    } catch (thrown) {
      // What is broken is what the bundle is for: the rest of it all the same.
      content = { problem: messageOf(thrown) };
    }
    const plain = JSON.parse(JSON.stringify(content ?? null)) as JsonObject;
    files[name] = Buffer.from(redactText(JSON.stringify(maskSensitive(plain), null, 2)));
  }
  return Buffer.from(zipSync(files));
}

function about({ version, clock, aws }: ApiPorts): object {
  return {
    version,
    made_at: new Date(clock.now()).toISOString(),
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    uptime_seconds: Math.round(process.uptime()),
    memory_bytes: process.memoryUsage().rss,
    identity: aws.identity,
  };
}

async function checks({ config, env, vault, db }: ApiPorts): Promise<object> {
  return doctor({
    config,
    env,
    vault,
    db,
    groups: ['machine', 'browser'],
    extra: machineChecks(config.settings),
  });
}
