/** What the tray asks of the agent: over the API, as the window does, so that the audit log has it. */
import type { RecordingLevel } from '../agent/base/words.ts';
import type { ApiClient } from '../agent/client/client.ts';
import type { AgentProcess } from './agent-process.ts';

/** Loaded with the first command. */
async function clientOf(agent: AgentProcess): Promise<ApiClient> {
  const { createClient } = await import('../agent/client/client.ts');
  const { ready } = agent;
  if (!ready) throw new Error('the agent is not ready');
  return createClient({ url: ready.url, token: ready.token });
}

/** @throws ApiProblem when the agent refuses */
export async function steer(agent: AgentProcess, verb: 'pause' | 'resume' | 'drain'): Promise<void> {
  const [{ answerOf }, client] = await Promise.all([import('../agent/client/client.ts'), clientOf(agent)]);
  await answerOf(client.POST(`/api/v1/agent/${verb}`));
}

/** @throws ApiProblem when the agent refuses */
export async function setLevel(agent: AgentProcess, level: RecordingLevel): Promise<void> {
  const [{ answerOf }, client] = await Promise.all([import('../agent/client/client.ts'), clientOf(agent)]);
  await answerOf(client.PATCH('/api/v1/settings', { body: { 'recording.default_level': level } }));
}
