/** The run engine up to the browser: what is known and written down before one is started. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAgent, type Agent } from '../../agent/agent.ts';
import { newRunId } from '../../agent/base/ids.ts';
import { silentLogger } from '../../agent/base/log.ts';
import type { JsonObject } from '../../agent/base/words.ts';
import type { RunOutcome } from '../../agent/runs/types.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';

let home: string;
let agent: Agent;

beforeAll(async () => {
  home = makeHome('engine');
  const env = { PATH: process.env['PATH'] ?? '' };
  agent = await openAgent({ home, env, log: silentLogger, uploads: 'none', keepWarm: false });
});

afterAll(async () => {
  await agent.close();
  removeHome(home);
});

async function run(script: JsonObject): Promise<RunOutcome> {
  return agent.engine.execute(
    { runId: newRunId(), input: { kind: 'script', script } },
    { signal: AbortSignal.timeout(30_000) },
  );
}

test.each(['fail', 'return'])(
  'what a script says of failures (%s) is on record before there is a browser, for whoever recovers the run',
  async (onFailure) => {
    const outcome = await run({
      name: 'Nobody',
      on_failure: onFailure,
      session: { profile_name: 'nobody' },
      steps: [{ action: 'wait', duration: 1 }],
    });
    expect(outcome).toMatchObject({
      state: 'failed',
      error: { name: 'BrowserAgent.ProfileNotFound' },
      returnOnFailure: onFailure === 'return',
    });
    expect(agent.runs.get(outcome.runId)).toMatchObject({ state: 'failed', on_failure: onFailure });
  },
);
