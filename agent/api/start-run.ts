/** How the API begins runs: one at a time is looked at, all together are held to a number. */
import type { FastifyReply } from 'fastify';
import { systemActor } from '../base/actor.ts';
import type { RunRequest } from '../runs/types.ts';
import type { ApiPorts } from './ports.ts';
import { ApiError } from './problem.ts';

/** What somebody is told to wait who asks for a run too many, in seconds: a short run takes about that. */
const FULL_RETRY_SECONDS = 10;

/** @throws ApiError 503 */
export function refuseWhenFull({ worker, engine, config }: ApiPorts, reply: FastifyReply): void {
  const state = worker?.status().state;
  if (state === 'draining' || state === 'stopping' || state === 'stopped') {
    throw new ApiError(503, 'BrowserAgent.Draining', 'The agent is ending and begins no new runs.');
  }
  const maxRuns = config.settings.api.max_runs;
  if (engine.detached >= maxRuns) {
    void reply.header('retry-after', String(FULL_RETRY_SECONDS));
    throw new ApiError(
      503,
      'BrowserAgent.BrowserUnavailable',
      `${maxRuns} runs of the API are at work already.`,
      { hint: 'Start it again when one has ended, or raise api.max_runs.' },
    );
  }
}

/**
 * Resolves when the run is on record; rejects when it could not even get there. `paused`: it stands still
 * before its first step.
 */
export async function beginRun(
  { engine, events, runs, log }: ApiPorts,
  request: RunRequest,
  { paused = false }: { paused?: boolean } = {},
): Promise<void> {
  const onRecord = Promise.withResolvers<void>();
  const forget = events.on('start of a run', (event) => {
    if (event.type !== 'run.queued' || event.runId !== request.runId) return;
    if (paused) engine.gate(request.runId)?.pause(request.by ?? systemActor, 'started paused');
    onRecord.resolve();
  });
  engine.start(request).then(
    () => onRecord.resolve(),
    (thrown: unknown) => {
      if (runs.get(request.runId) === undefined) onRecord.reject(thrown as Error);
      else log.error({ err: thrown, run: request.runId }, 'a run failed beyond its result');
    },
  );
  try {
    await onRecord.promise;
  } finally {
    forget();
  }
}
