/**
 * Which of the agent's events others get to see, and how: one table from what happens inside to type,
 * priority, source and payload outside. What is not in it stays inside.
 */
import { z } from 'zod';
import { redactText } from '../base/log.ts';
import { ACTOR_KINDS } from '../base/actor.ts';
import type { AgentEvent, ProgressStep } from '../base/events.ts';
import { AWS_SERVICES, SERVICE_STATES } from '../base/services.ts';
import { RECORDING_LEVELS } from '../base/words.ts';

/** Weakest first; the place in this list is what the database holds. */
export const PRIORITIES = ['low', 'normal', 'high'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** The part of the agent that an event comes from. */
export const SOURCES = ['runs', 'uploads', 'people', 'worker', 'setup', 'stream'] as const;
export type Source = (typeof SOURCES)[number];

const runId = z.string().describe('Id of the run.');
const taskId = z.string();
const time = z.iso.datetime();
const error = z.object({ name: z.string(), message: z.string() });
const stepNumber = z.int().describe('In order of execution, from 1; 0: before the first step.');
const durationMs = z.int();

const progress = {
  title: z.string(),
  status: z.enum(['ok', 'warn', 'fail', 'skip']),
  detail: z.string(),
  fix: z.string().describe('What to do; empty when nothing is.'),
};

/** What each event says, by its type. */
export const payloads = {
  'run.queued': z.object({
    run_id: runId,
    script_name: z.string(),
    task_id: taskId.nullable(),
    requested_by: z
      .object({ kind: z.enum(ACTOR_KINDS), id: z.string() })
      .nullable()
      .describe('Null: not said.'),
  }),
  'run.waiting': z.object({ run_id: runId, waits_for: z.literal('profile'), profile: z.string() }),
  'run.started': z.object({
    run_id: runId,
    script_name: z.string(),
    profile: z.string().nullable(),
    level: z.enum(RECORDING_LEVELS),
    level_reason: z.string(),
  }),
  'run.paused': z
    .object({
      run_id: runId,
      by: z.object({ kind: z.enum(ACTOR_KINDS), id: z.string() }),
      reason: z.string(),
      since: time,
      standing: z.boolean().describe('False: the action that it had begun still goes on.'),
    })
    .describe('Said when somebody makes it stand still, and again each time it does.'),
  'run.resumed': z.object({ run_id: runId, paused_ms: durationMs }),
  'run.finished': z.object({
    run_id: runId,
    state: z.enum(['succeeded', 'failed', 'cancelled', 'lost']),
    error: error.nullable(),
    duration_ms: durationMs,
  }),
  'step.started': z.object({
    run_id: runId,
    step_number: stepNumber,
    name: z.string(),
    action: z.string(),
  }),
  'step.finished': z.object({
    run_id: runId,
    step_number: stepNumber,
    name: z.string(),
    action: z.string(),
    success: z.boolean(),
    duration_ms: durationMs,
    error: error.nullable(),
  }),
  'upload.finished': z.object({ run_id: runId, key: z.string(), size_bytes: z.int() }),
  'upload.failed': z.object({
    run_id: runId,
    key: z.string(),
    message: z.string(),
    attempt: z.int(),
    retry_at: time.nullable().describe('Null: never.'),
  }),
  'human.requested': z.object({
    run_id: runId,
    step_number: stepNumber,
    message: z.string(),
    deadline: time,
  }),
  'human.resolved': z.object({
    run_id: runId,
    by: z.enum(['person', 'condition', 'timeout', 'cancel']),
  }),
  'agent.state': z.object({ state: z.string(), detail: z.string().nullable() }),
  'agent.service': z
    .object({
      service: z.enum(AWS_SERVICES),
      state: z.enum(SERVICE_STATES),
      since: time,
      last_error: z.string().nullable(),
    })
    .describe('An AWS service is failing and not called for a while (`open`), tried, or works again.'),
  'agent.runs_removed': z
    .object({
      count: z.int(),
      size_bytes: z.int(),
      not_in_s3: z.int().describe('Of these, runs of which something is nowhere else.'),
      over_bytes: z
        .int()
        .describe('Above recording.keep_gb still, because runs are open or on their way to S3; 0: nothing.'),
    })
    .describe('Past runs went from this machine by recording.keep_days and recording.keep_gb.'),
  'agent.restarting': z
    .object({ reason: z.string() })
    .describe(
      'It ends what it does and starts anew in the same process: same address, same owner’s key. Connect again after a moment.',
    ),
  'setup.step': z.object(progress).describe('Fetching the configuration did this.'),
  'setup.check': z.object({ id: z.string(), ...progress }).describe('A check of the setup is done.'),
  'setup.install': z
    .object({
      state: z.enum(['running', 'done', 'failed']),
      percent: z.int().min(0).max(100).nullable().describe('Null: not known.'),
      words: z.string(),
      fix: z.string().describe('What to do when it failed; else empty.'),
    })
    .describe('A browser is being installed.'),
  'agent.task_received': z.object({ task_id: taskId, run_id: runId }),
  'agent.task_reported': z.object({
    task_id: taskId,
    run_id: runId,
    outcome: z.enum(['succeeded', 'failed']),
    error_name: z.string().nullable(),
  }),
  'agent.lease_lost': z.object({ task_id: taskId, run_id: runId, reason: z.string() }),
  'agent.history_lost': z
    .object({
      after: z.int().describe('The id that was asked for.'),
      from_id: z.int().describe('The first id that history holds: it goes on with this one.'),
    })
    .describe(
      'Never in the history: said to a follower whose last id is older than what history holds, or was never given. What lies between is lost to it.',
    ),
} as const;

export type PublishedType = keyof typeof payloads;
type Payload<T extends PublishedType> = z.infer<(typeof payloads)[T]>;

export type PublishedEvent = {
  [T in PublishedType]: {
    type: T;
    priority: Priority;
    source: Source;
    runId: string | null;
    payload: Payload<T>;
  };
}[PublishedType];

/** As it is outside; null: it stays inside. */
export function publish(event: AgentEvent): PublishedEvent | null {
  switch (event.type) {
    case 'run.queued': {
      const { by } = event;
      return run(event, 'normal', 'run.queued', {
        script_name: clean(event.scriptName),
        task_id: event.taskId ?? null,
        requested_by: by ? { kind: by.kind, id: clean(by.id) } : null,
      });
    }
    case 'run.waiting':
      return run(event, 'normal', 'run.waiting', { waits_for: event.for, profile: clean(event.profile) });
    case 'run.started':
      return run(event, 'normal', 'run.started', {
        script_name: clean(event.scriptName),
        profile: event.profile === null ? null : clean(event.profile),
        level: event.level.level,
        level_reason: clean(event.level.reason),
      });
    case 'run.paused':
      return run(event, 'normal', 'run.paused', {
        by: { kind: event.by.kind, id: clean(event.by.id) },
        reason: clean(event.reason),
        since: isoTime(event.since),
        standing: event.isStanding,
      });
    case 'run.resumed':
      return run(event, 'normal', 'run.resumed', { paused_ms: Math.round(event.pausedMs) });
    case 'run.finished': {
      const isBad = event.state === 'failed' || event.state === 'lost';
      return run(event, isBad ? 'high' : 'normal', 'run.finished', {
        state: event.state,
        error:
          event.errorName === undefined
            ? null
            : { name: clean(event.errorName), message: clean(event.message ?? '') },
        duration_ms: Math.round(event.durationMs),
      });
    }
    case 'step.started':
      return run(event, 'low', 'step.started', {
        step_number: event.stepNumber,
        name: clean(event.name),
        action: event.action,
      });
    case 'step.finished':
      return run(event, event.success ? 'low' : 'normal', 'step.finished', {
        step_number: event.stepNumber,
        name: clean(event.name),
        action: event.action,
        success: event.success,
        duration_ms: Math.round(event.durationMs),
        error: event.error ? { name: clean(event.error.name), message: clean(event.error.message) } : null,
      });
    case 'upload.finished':
      return run(event, 'low', 'upload.finished', { key: clean(event.key), size_bytes: event.sizeBytes });
    case 'upload.failed':
      return run(event, 'high', 'upload.failed', {
        key: clean(event.key),
        message: clean(event.message),
        attempt: event.attempt,
        retry_at: event.retryAt === 0 ? null : isoTime(event.retryAt),
      });
    case 'human.requested':
      return run(event, 'high', 'human.requested', {
        step_number: event.stepNumber,
        message: clean(event.message),
        deadline: isoTime(event.deadline),
      });
    case 'human.resolved':
      return run(event, 'normal', 'human.resolved', { by: event.by });
    case 'agent.state': {
      const payload = {
        state: event.state,
        detail: event.detail === undefined ? null : clean(event.detail),
      };
      return { type: 'agent.state', priority: 'normal', source: 'worker', runId: null, payload };
    }
    case 'agent.service': {
      const { service, state, since, lastError } = event;
      const payload = {
        service,
        state,
        since: isoTime(since),
        last_error: lastError === null ? null : clean(lastError),
      };
      const priority = state === 'open' ? 'high' : 'normal';
      return { type: 'agent.service', priority, source: 'worker', runId: null, payload };
    }
    case 'runs.removed': {
      const { count, sizeBytes, notInS3, overBytes } = event;
      const payload = { count, size_bytes: sizeBytes, not_in_s3: notInS3, over_bytes: overBytes };
      const priority = overBytes > 0 ? 'high' : 'normal';
      return { type: 'agent.runs_removed', priority, source: 'worker', runId: null, payload };
    }
    case 'agent.restarting': {
      const payload = { reason: clean(event.reason) };
      return { type: 'agent.restarting', priority: 'high', source: 'worker', runId: null, payload };
    }
    case 'setup.step':
      return setup('setup.step', shownStep(event.step));
    case 'setup.check':
      return setup('setup.check', { id: event.check.id, ...shownStep(event.check) });
    case 'setup.install': {
      const { state, percent, words, fix } = event;
      return setup('setup.install', { state, percent, words: clean(words), fix: clean(fix) });
    }
    case 'task.received':
      return run(event, 'normal', 'agent.task_received', { task_id: event.taskId });
    case 'task.reported':
      return run(event, 'normal', 'agent.task_reported', {
        task_id: event.taskId,
        outcome: event.outcome,
        error_name: event.errorName === undefined ? null : clean(event.errorName),
      });
    case 'lease.lost':
      return run(event, 'high', 'agent.lease_lost', { task_id: event.taskId, reason: clean(event.reason) });
    // Of interest to metrics alone: hundreds a day that say nothing.
    case 'poll.answered':
    case 'browser.started':
      return null;
  }
}

function setup<T extends 'setup.step' | 'setup.check' | 'setup.install'>(
  type: T,
  payload: Payload<T>,
): PublishedEvent {
  return { type, priority: 'low', source: 'setup', runId: null, payload } as PublishedEvent;
}

function shownStep({ title, status, detail, fix }: ProgressStep): Payload<'setup.step'> {
  return { title: clean(title), status, detail: clean(detail), fix: clean(fix) };
}

/** The parts of the event types before the first dot. */
export type EventGroup = PublishedType extends `${infer Group}.${string}` ? Group : never;

const SOURCE_OF: Record<EventGroup, Source> = {
  run: 'runs',
  step: 'runs',
  upload: 'uploads',
  human: 'people',
  agent: 'worker',
  setup: 'setup',
};

/** An event of a run: its id is in the payload too. */
function run<T extends PublishedType>(
  event: { runId: string },
  priority: Priority,
  type: T,
  payload: Omit<Payload<T>, 'run_id'>,
): PublishedEvent {
  const { runId } = event;
  const source = SOURCE_OF[type.split('.')[0] as EventGroup];
  return {
    type,
    priority,
    source,
    runId,
    payload: { run_id: runId, ...payload },
  } as unknown as PublishedEvent;
}

/** Longest text in an event, in characters: messages are for a person to read, and history is to stay small. */
const MAX_TEXT = 2_000;

/** Without secrets, as in a log line: also where the part that said it does not know them. */
function clean(text: string): string {
  const safe = redactText(text);
  return safe.length > MAX_TEXT ? `${safe.slice(0, MAX_TEXT - 1)}…` : safe;
}

/** What is beyond the range of dates is shown as its end. */
function isoTime(ms: number): string {
  return new Date(Math.min(ms, MAX_DATE_MS)).toISOString();
}

/** 9999-12-31: the last that RFC 3339 can say. */
const MAX_DATE_MS = 253_402_300_799_999;
