/** What a real run writes into the log file: its id in every line, and nothing that is secret. */
import { createServer } from 'node:http';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openAgent } from '../../agent/agent.ts';
import { openLogFile } from '../../agent/base/log-file.ts';
import { createLogger } from '../../agent/base/log.ts';
import { homePaths } from '../../agent/base/paths.ts';
import { vaultNameOf } from '../../agent/config/script-secrets.ts';
import { FileVault } from '../../agent/config/vault.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';

const CANARY = 'canary-5a7f"1 c';

let home: string;

beforeEach(() => {
  home = makeHome('log');
});

afterEach(() => removeHome(home));

test('a secret that a page repeats in an address and in a message is masked in the log file', async () => {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end(`
      <input id="field"><a id="next" target="_blank" href="#">next</a>
      <script>
        field.oninput = () => { next.href = '/?said=' + encodeURIComponent(field.value); };
        next.onclick = () => { setTimeout(() => alert(field.value)); };
      </script>`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const sink = openSync(devNull, 'w');
  const problems: string[] = [];
  const file = openLogFile({
    path: homePaths(home).logFile,
    maxSizeBytes: 1e7,
    maxFiles: 2,
    onProblem: (message) => problems.push(message),
  });
  const vault = new FileVault(home);
  await vault.set(vaultNameOf('portal'), CANARY);
  const agent = await openAgent({
    home,
    env: {},
    log: createLogger({ level: 'trace', to: sink, file }),
    uploads: 'none',
    keepWarm: false,
    vault,
  });
  try {
    const outcome = await agent.engine.execute(
      {
        runId: 'run-with-a-secret',
        input: {
          kind: 'script',
          script: {
            name: 'Secret',
            steps: [
              { action: 'navigate', url },
              { action: 'fill', locator: { strategy: 'css', value: '#field' }, value: '{{secret:portal}}' },
              { action: 'click', locator: { strategy: 'css', value: '#next' } },
              { action: 'wait', duration: 300 },
            ],
          },
        },
      },
      { signal: new AbortController().signal },
    );
    expect(outcome.error).toBeUndefined();
    agent.log.info(`a line after the run, with ${CANARY}`);
  } finally {
    await agent.close();
    await file.close();
    closeSync(sink);
    server.close();
  }
  expect(problems).toEqual([]);
  const text = readFileSync(join(home, 'logs', 'agent.log'), 'utf8');
  expect(text).not.toMatch(/canary/i);
  expect(text).not.toContain('5a7f');
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { msg: string; runId?: string; url?: string });
  const opened = lines.find(({ msg }) => msg === 'going on in the page that was opened');
  expect(opened).toMatchObject({ runId: 'run-with-a-secret', url: `${url}?said=[masked]` });
  expect(lines.at(-1)).toMatchObject({ msg: 'a line after the run, with [masked]' });
});
