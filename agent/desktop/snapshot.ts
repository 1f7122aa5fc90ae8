/** What the tray shows of the agent, in one message; told again when something of it may have changed. */
import type { Agent } from '../agent.ts';
import type { ServingAgent } from '../serve.ts';
import type { AgentEvent } from '../base/events.ts';
import type { AgentSnapshot } from '../base/shell-messages.ts';

/** As many as a menu shows well. */
const RECENT_RUNS = 5;
/** Several things happen together; a tray shows them together. */
const GATHER_MS = 50;
/** Settings change without an event, e.g. in an editor. */
const LOOK_MS = 10_000;
const ENDED = ['succeeded', 'failed', 'cancelled', 'lost'] as const;
/** What says nothing that a tray shows, and comes often. */
const UNSHOWN: ReadonlySet<AgentEvent['type']> = new Set([
  'step.started',
  'step.finished',
  'upload.finished',
  'poll.answered',
  'browser.started',
]);

/** @returns what stops following */
export function followSnapshot(
  { agent, serving }: { agent: Agent; serving: ServingAgent },
  tell: (snapshot: AgentSnapshot) => void,
): () => void {
  let timer: NodeJS.Timeout | undefined;
  let last = '';
  const look = (): void => {
    timer = undefined;
    if (!agent.db.open) return;
    const snapshot = snapshotOf(agent, serving);
    const text = JSON.stringify(snapshot);
    if (text === last) return;
    last = text;
    tell(snapshot);
  };
  const unsubscribe = agent.events.on('desktop snapshot', ({ type }) => {
    if (!UNSHOWN.has(type)) timer ??= setTimeout(look, GATHER_MS);
  });
  const looking = setInterval(look, LOOK_MS);
  look();
  return () => {
    clearInterval(looking);
    clearTimeout(timer);
    unsubscribe();
  };
}

function snapshotOf(agent: Agent, serving: ServingAgent): AgentSnapshot {
  const { config, runs } = agent;
  const { settings } = config;
  return {
    worker: settings.aws.activity_arn === null ? 'none' : serving.worker.status().state,
    detail: '',
    runs: runs
      .unfinished()
      .filter(({ run_id }) => agent.engine.isRunning(run_id))
      .map(({ run_id, script_name }) => ({ runId: run_id, scriptName: script_name })),
    waiting: agent.humans.pending().map(({ runId, message }) => ({ runId, message })),
    failingServices: agent.resilience
      .health()
      .filter(({ state }) => state !== 'closed')
      .map(({ service }) => service),
    level: settings.recording.default_level,
    recent: runs.list({ state: [...ENDED], limit: RECENT_RUNS }).map((run) => ({
      runId: run.run_id,
      scriptName: run.script_name,
      state: run.state,
      errorName: run.error_name,
      endedAt: run.ended_at ?? 0,
    })),
    drainMs: settings.worker.drain_deadline_seconds * 1_000,
  };
}
