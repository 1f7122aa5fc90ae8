/** The examples of docs/api.md, run as they stand there, on a real agent at work. */
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readOwnerFile } from '../../agent/api/owner-file.ts';
import { startSandbox, type Sandbox } from '../../agent/sandbox/index.ts';
import { call } from '../fixtures/api.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';
import { startMainJob, type MainJob } from '../fixtures/main-job.ts';
import { startFixtureSite, type FixtureSite } from '../fixtures/pages/fixtures.ts';

let home: string;
let sandbox: Sandbox;
let site: FixtureSite;
let job: MainJob;

beforeAll(async () => {
  home = makeHome('api-docs');
  sandbox = await startSandbox({ pollMs: 500 });
  site = await startFixtureSite();
  site.page('/', `<h1>Hello</h1>${'<p>Some text to look at.</p>'.repeat(100)}`);
  job = await startMainJob({ sandbox, home, env: 'docs', variables: { LBA_API_PORT: '0' } });
});

afterAll(async () => {
  await job.close();
  await site.close();
  await sandbox.close();
  removeHome(home);
});

interface Example {
  command: string;
  /** What the page says that it answers; null where it says nothing. */
  answer: { kind: string; text: string } | null;
}

function examples(): Example[] {
  const page = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');
  const [, part = ''] = page.split('## Try it');
  const blocks = [...part.matchAll(/```(?<kind>sh|json|http)\n(?<text>[\s\S]*?)```/g)].map((match) => ({
    kind: match.groups!['kind']!,
    text: match.groups!['text']!,
  }));
  return blocks.flatMap((block, index) => {
    if (block.kind !== 'sh') return [];
    const next = blocks[index + 1];
    return [{ command: block.text, answer: next && next.kind !== 'sh' ? next : null }];
  });
}

const hasCurl = spawnSync('curl', ['--version']).status === 0;
if (!hasCurl) console.warn('the examples of the API are not run: curl is not installed');

test.skipIf(!hasCurl)('every example does what the page says', async () => {
  const owner = readOwnerFile(join(home, 'api.json'))!;
  const made = await call(owner.url, 'POST', '/api/v1/keys', {
    key: owner.token,
    body: { name: 'docs', scopes: ['run', 'operate'], tier: 'premium' },
  });
  const all = examples();
  expect(all.length).toBeGreaterThan(8);
  // One shell for all, as a reader has it: variables stay.
  const separator = '=-=-=-=';
  const script = all.map(({ command }) => `${command}\nprintf '${separator}'\n`).join('');
  const { stdout } = await promisify(execFile)('sh', ['-euc', script], {
    env: {
      PATH: process.env['PATH'] ?? '',
      API: `${owner.url}/api/v1`,
      KEY: (made.json as { key: string }).key,
      PAGE: `${site.url}/`,
    },
    timeout: 50_000,
  });
  const answers = stdout.split(separator);
  for (const [index, { command, answer }] of all.entries()) {
    if (answer?.kind === 'json') {
      expect(JSON.parse(answers[index]!), command).toMatchObject(JSON.parse(answer.text) as object);
    } else {
      expect(answers[index], command).toContain(answer?.text.trim() ?? '');
    }
  }
});
