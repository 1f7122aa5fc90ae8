/** What a person is told who looks elsewhere: made of two looks at the agent, no Electron in it. */
import type { AgentSnapshot } from '../agent/base/shell-messages.ts';
import type { AgentConnection } from '../renderer/src/bridge.ts';

export interface Notice {
  title: string;
  body: string;
  /** Where a click leads, e.g. `/runs/ID`. */
  path: string;
}

/** What is new since `before`; null: the first look, which is no news. */
export function newNotices(before: AgentSnapshot | null, after: AgentSnapshot | null): Notice[] {
  if (!after) return [];
  const waited = new Set(before?.waiting.map(({ runId }) => runId));
  const needs = after.waiting
    .filter(({ runId }) => !waited.has(runId))
    .map(({ runId, message }) => ({ title: 'A run needs you', body: message, path: `/runs/${runId}` }));
  if (!before) return needs;
  const known = new Set(before.recent.map(({ runId }) => runId));
  const failures = after.recent
    .filter(({ runId, state }) => !known.has(runId) && (state === 'failed' || state === 'lost'))
    .map(({ runId, scriptName, errorName }) => ({
      title: `${scriptName} failed`,
      body: errorName ?? 'Look at the run to see why.',
      path: `/runs/${runId}`,
    }));
  return [...needs, ...failures];
}

/** Of an agent that cannot be started any more: the one case where nothing happens until somebody looks. */
export function stoppedNotice(before: AgentConnection, after: AgentConnection): Notice | null {
  if (after.state !== 'failed' || before.state === 'failed') return null;
  return { title: 'The agent has stopped', body: after.problem, path: '/' };
}
