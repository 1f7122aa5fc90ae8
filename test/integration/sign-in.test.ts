/** What a run does before its first step when its session asks for a person who signs in: real browser, real site. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openAgent, type Agent } from '../../agent/agent.ts';
import { newRunId } from '../../agent/base/ids.ts';
import { silentLogger } from '../../agent/base/log.ts';
import type { JsonObject } from '../../agent/base/words.ts';
import { FileVault } from '../../agent/config/vault.ts';
import { vaultNameOf } from '../../agent/config/script-secrets.ts';
import type { RunOutcome } from '../../agent/runs/types.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';

let home: string;
let agent: Agent;
let server: Server;
let site: string;
/** Whether the site takes the browser for signed in. */
let isSignedIn: boolean;
/** Paths with their query, as the site was asked for them. */
let asked: string[];

beforeAll(async () => {
  home = makeHome('sign-in');
  await new FileVault(home).set(vaultNameOf('tenant'), 'north-7');
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.setHeader('content-type', 'text/html');
    // Asks again by itself, as sign-in pages do that wait for a second device.
    response.end(
      isSignedIn
        ? '<p>Signed in as demo</p>'
        : '<meta http-equiv="refresh" content="0.2"><form>Please sign in</form>',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  site = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  agent = await openAgent({
    home,
    env: { PATH: process.env['PATH'] ?? '' },
    log: silentLogger,
    uploads: 'none',
  });
});

afterAll(async () => {
  await agent.close();
  server.close();
  removeHome(home);
});

beforeEach(() => {
  isSignedIn = false;
  asked = [];
});

/** Runs a script that has to be signed in; `person` is told when it is asked for one. */
async function run(person: (runId: string) => void): Promise<RunOutcome & { askedForPerson: number }> {
  const runId = newRunId();
  let askedForPerson = 0;
  const forget = agent.events.on('test', (event) => {
    if (event.type !== 'human.requested') return;
    askedForPerson++;
    person(runId);
  });
  const script: JsonObject = {
    name: 'Orders',
    variables: { site: { type: 'string', required: true }, user: 'demo' },
    session: {
      wait_for_human_login: true,
      post_login_verification: {
        type: 'and',
        conditions: [
          { type: 'text_visible', text: 'Signed in as {{user}}', timeout: 0 },
          { type: 'variable', name: 'user', equals: 'demo' },
        ],
      },
    },
    starting_page: '{{site}}/account?tenant={{secret:tenant}}',
    steps: [{ action: 'assert', name: 'There', condition: { text_visible: 'Signed in as demo' } }],
  };
  try {
    const outcome = await agent.engine.execute(
      { runId, input: { kind: 'script', script, variables: { site } } },
      { signal: AbortSignal.timeout(60_000) },
    );
    return { ...outcome, askedForPerson };
  } finally {
    forget();
  }
}

test('the templates of the starting page and of the verification are resolved, and who is signed in is not asked', async () => {
  isSignedIn = true;
  const outcome = await run(() => undefined);
  expect(outcome).toMatchObject({ state: 'succeeded', askedForPerson: 0 });
  expect(new Set(asked.filter((path) => !path.includes('favicon')))).toEqual(
    new Set(['/account?tenant=north-7']),
  );
  expect(JSON.stringify(outcome.result)).not.toContain('north-7');
});

test('a person is asked, and the run goes on by itself once the verification holds', async () => {
  const outcome = await run(() => {
    isSignedIn = true;
  });
  expect(outcome).toMatchObject({ state: 'succeeded', askedForPerson: 1 });
});

test('a person who presses Resume without having signed in ends the run as LoginRequired, before its first step', async () => {
  const outcome = await run((runId) => agent.humans.resume(runId));
  expect(outcome).toMatchObject({
    state: 'failed',
    askedForPerson: 1,
    result: { steps_executed: 0 },
    error: { name: 'BrowserAgent.LoginRequired' },
  });
});
