/**
 * Malformed task inputs by seed, through the real worker in this process: each must be answered with one
 * failure that a state machine can catch and a person can read, and the worker must go on.
 */
import { join } from 'node:path';
import type { ActivityService } from '../../agent/activity/service.ts';
import { Worker } from '../../agent/activity/worker.ts';
import { AgentError, ERROR_NAMES, toAgentError } from '../../agent/base/errors.ts';
import { EventBus } from '../../agent/base/events.ts';
import { silentLogger } from '../../agent/base/log.ts';
import { prepareScript } from '../../agent/runs/prepare.ts';
import { ScriptLibrary } from '../../agent/runs/script-library.ts';
import type { RunExecutor } from '../../agent/runs/types.ts';
import { randomFrom } from '../../agent/sandbox/portal/images.ts';
import { openDatabase } from '../../agent/store/database.ts';
import { RunStore } from '../../agent/store/runs.ts';

const SOUND = {
  tool_input: {
    name: 'Sound',
    starting_page: 'https://portal.example',
    variables: { who: 'Ada' },
    session: { recording_level: 'INFO' },
    steps: [
      { action: 'click', name: 'Search', locator: { strategy: 'selector', value: '#go' } },
      {
        action: 'if',
        name: 'Perhaps',
        condition: { type: 'url_contains', pattern: 'x' },
        then: [{ action: 'wait', duration: 5 }],
      },
      { action: 'fill', name: 'Who', locator: { strategy: 'label', value: 'Name' }, value: '{{who}}' },
    ],
  },
};

/** What stands in the place of something that is sound. */
const STRANGE: unknown[] = [
  null,
  -1,
  1e308,
  '',
  '\u0000',
  '\ud800',
  '{{{{',
  '../../../etc/passwd',
  [],
  [[[[[[]]]]]],
  {},
  { constructor: 1 },
  'x'.repeat(5_000),
  true,
];
const TASKS_AT_ONCE = 4;

export interface MalformedResult {
  inputs: number;
  /** Inputs that happened to stay sound. */
  sound: number;
  /** Not answered, or answered with what does not help. */
  problems: string[];
}

export async function feedMalformed(options: {
  home: string;
  seed: number;
  inputs: number;
}): Promise<MalformedResult> {
  const random = randomFrom(options.seed);
  const inputs = Array.from({ length: options.inputs }, () => malformed(random));
  const answers = new Map<string, string[]>();
  const answer = (token: string, text: string): void => {
    answers.set(token, [...(answers.get(token) ?? []), text]);
  };
  const finished = Promise.withResolvers<void>();
  let handed = 0;
  const service: ActivityService = {
    getActivityTask: () => {
      if (handed === inputs.length) return finished.promise.then(() => null);
      const input = inputs[handed]!;
      handed += 1;
      return Promise.resolve({ token: `token-${handed - 1}`, input });
    },
    sendTaskHeartbeat: () => Promise.resolve(),
    sendTaskSuccess: async (token) => note(token, 'sound'),
    sendTaskFailure: async (token, { error, cause }) => note(token, problemOf(error, cause)),
  };
  const note = (token: string, text: string): void => {
    answer(token, text);
    if (answers.size === inputs.length) finished.resolve();
  };
  const db = openDatabase(join(options.home, 'malformed.db'));
  try {
    const library = new ScriptLibrary(join(options.home, 'scripts'));
    const worker = new Worker({
      db,
      service,
      executor: preparing(library),
      journal: new RunStore(db),
      activityArn: 'arn:aws:states:us-east-1:000000000000:activity:malformed',
      workerName: 'malformed',
      concurrency: TASKS_AT_ONCE,
      events: new EventBus(silentLogger),
      log: silentLogger,
    });
    worker.start();
    const early = worker.done.then(({ error }) => error?.message ?? 'the worker ended');
    const crash = await Promise.race([finished.promise.then(() => null), early]);
    if (crash === null) await worker.drain();
    const problems = crash === null ? [] : [`the worker ended amid it: ${crash}`];
    let sound = 0;
    for (const [index, input] of inputs.entries()) {
      const got = answers.get(`token-${index}`) ?? [];
      if (got.length === 1 && got[0] === 'sound') sound += 1;
      else if (got.length !== 1 || got[0] !== '') {
        problems.push(`input ${index}: ${got.length} answers: ${got.join('; ')}: ${input.slice(0, 300)}`);
      }
    }
    return { inputs: inputs.length, sound, problems };
  } finally {
    db.close();
  }
}

/** The run engine's first stage alone: what passes it would need a browser, and is no malformed input. */
function preparing(library: ScriptLibrary): RunExecutor {
  return {
    execute: async (request) => {
      const base = { runId: request.runId, result: {}, returnOnFailure: false };
      try {
        await prepareScript(request, library);
        return { ...base, state: 'succeeded' as const };
      } catch (thrown) {
        const error = toAgentError(thrown);
        const { errorName: name, message } = error;
        const cause = { run_id: request.runId, message };
        return { ...base, state: 'failed' as const, error: { name, message, cause } };
      }
    },
  };
}

/** What is wrong with an answer; empty when it is clear. */
function problemOf(error: string, cause: string): string {
  if (!(ERROR_NAMES as readonly string[]).includes(error)) return `an error nobody knows: ${error}`;
  if (error === new AgentError('BrowserAgent.Internal', '').errorName) return `a bug: ${cause}`;
  const { message } = JSON.parse(cause) as { message?: unknown };
  return typeof message === 'string' && message.length > 10 ? '' : `a cause that says nothing: ${cause}`;
}

function malformed(random: () => number): string {
  const from = (n: number): number => Math.floor(random() * n);
  const sound = JSON.stringify(SOUND);
  switch (from(6)) {
    case 0: // cut off
      return sound.slice(0, from(sound.length));
    case 1: // a letter that is not what it was
      return flip(sound, from(sound.length), String.fromCharCode(from(0x3_000)));
    case 2: // no object at all
      return JSON.stringify(STRANGE[from(STRANGE.length)]);
    case 3: {
      // too deep
      const depth = 1 + from(5_000);
      return `${'{"tool_input":'.repeat(depth)}1${'}'.repeat(depth)}`;
    }
    case 4: // bytes
      return Buffer.from(Array.from({ length: from(2_000) }, () => from(256))).toString('utf8');
    default: // something else in the place of a part
      return JSON.stringify(replaceOne(SOUND, 1 + from(4), random));
  }
}

function flip(text: string, at: number, by: string): string {
  return text.slice(0, at) + by + text.slice(at + 1);
}

function replaceOne(value: unknown, depth: number, random: () => number): unknown {
  const strange = (): unknown => STRANGE[Math.floor(random() * STRANGE.length)];
  if (depth === 0 || typeof value !== 'object' || value === null) return strange();
  const keys = Object.keys(value);
  if (keys.length === 0) return strange();
  const key = keys[Math.floor(random() * keys.length)]!;
  const part = replaceOne((value as Record<string, unknown>)[key], depth - 1, random);
  return Array.isArray(value)
    ? value.with(Number(key), part)
    : { ...value, [random() < 0.2 ? `${key}x` : key]: part };
}
