/**
 * What the desktop's main process and the agent process under it say to each other. Both ends read what
 * comes with these schemas; `zod/mini`, because the window waits for the main process to load.
 */
import * as z from 'zod/mini';
import { RECORDING_LEVELS } from './words.ts';

const VAULT_VERBS = ['get', 'set', 'delete'] as const;

const toAgentSchema = z.discriminatedUnion('type', [
  /** The first message: nothing is opened before it. */
  z.object({
    type: z.literal('start'),
    /** The data directory. */
    home: z.string(),
    /** The origin of the window, which may use the API. */
    origin: z.string(),
    /** Credentials are kept by the main process, so protected; null: in a file, as without a desktop. */
    vault: z.nullable(z.object({ protection: z.string() })),
  }),
  z.object({
    type: z.literal('vault.answer'),
    id: z.number(),
    /** With `get`; null: there is none of that name. */
    value: z.nullable(z.string()),
    /** Why it could not be done; null: it was. */
    problem: z.nullable(z.string()),
  }),
  z.object({
    type: z.literal('variable.answer'),
    id: z.number(),
    /** Null: it is not set. */
    value: z.nullable(z.string()),
  }),
  z.object({ type: z.literal('suspend') }),
  z.object({ type: z.literal('resume') }),
  /** Drains until the deadline, then cancels. May come again with a nearer one. Null: as the setting says. */
  z.object({ type: z.literal('stop'), deadlineMs: z.nullable(z.number()) }),
]);

const runSchema = z.object({ runId: z.string(), scriptName: z.string() });

const snapshotSchema = z.object({
  /** State of the worker: `working`, `paused`, `draining` …; `none`: no activity is configured. */
  worker: z.string(),
  /** In words, e.g. why polling fails; may be empty. */
  detail: z.string(),
  /** At work now. */
  runs: z.array(runSchema),
  /** Runs that stand still for a person. */
  waiting: z.array(z.object({ runId: z.string(), message: z.string() })),
  /** AWS services that keep failing. */
  failingServices: z.array(z.string()),
  /** The level of the dropdown. */
  level: z.enum(RECORDING_LEVELS),
  /** The latest that have ended, newest first. */
  recent: z.array(
    z.object({
      runId: z.string(),
      scriptName: z.string(),
      state: z.string(),
      errorName: z.nullable(z.string()),
      endedAt: z.number(),
    }),
  ),
  /** What a drain waits for runs, as the setting says. */
  drainMs: z.number(),
});

const toShellSchema = z.discriminatedUnion('type', [
  /** The API is open; said again after each start of the agent within its process. */
  z.object({
    type: z.literal('ready'),
    url: z.string(),
    token: z.string(),
    /** PEM of what it shows, where it speaks TLS. */
    certificate: z.nullable(z.string()),
  }),
  /** It closes and opens anew within its process; `ready` follows. */
  z.object({ type: z.literal('restarting') }),
  z.object({ type: z.literal('snapshot'), snapshot: snapshotSchema }),
  z.object({
    type: z.literal('vault.ask'),
    id: z.number(),
    verb: z.enum(VAULT_VERBS),
    name: z.string(),
    /** With `set`. */
    value: z.nullable(z.string()),
  }),
  /** Asks for a variable of the environment that the app was started with. */
  z.object({ type: z.literal('variable.ask'), id: z.number(), name: z.string() }),
  /** The last message. Without it, the process ended by itself. */
  z.object({
    type: z.literal('ended'),
    reason: z.enum(['drained', 'stopped', 'failed']),
    problem: z.nullable(z.string()),
  }),
]);

export type ToAgent = z.infer<typeof toAgentSchema>;
export type ToShell = z.infer<typeof toShellSchema>;
export type AgentSnapshot = z.infer<typeof snapshotSchema>;
export type VaultVerb = (typeof VAULT_VERBS)[number];

/** @throws ZodError when the other end is of another version */
export function readToAgent(message: unknown): ToAgent {
  return toAgentSchema.parse(message);
}

/** @throws ZodError when the other end is of another version */
export function readToShell(message: unknown): ToShell {
  return toShellSchema.parse(message);
}
