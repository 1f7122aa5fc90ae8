/** Patterns that would never end, in every place of a script: each costs its own run one second, and other runs nothing. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAgent, type Agent } from '../../agent/agent.ts';
import { newRunId } from '../../agent/base/ids.ts';
import { silentLogger } from '../../agent/base/log.ts';
import type { JsonObject } from '../../agent/base/words.ts';
import type { RunOutcome } from '../../agent/runs/types.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';
import { watchLoop } from '../fixtures/loop-block.ts';
import { startFixtureSite, type FixtureSite } from '../fixtures/pages/fixtures.ts';

/** No turn of the event loop may take longer (ms of processor time). */
const MAX_BLOCK_MS = 500;
/** With a pattern that is given up after a second. */
const RUN_MS = 60_000;

const SLOW_TEXT = `${'a'.repeat(40)}!`;

let home: string;
let agent: Agent;
let site: FixtureSite;
let page: string;

beforeAll(async () => {
  home = makeHome('patterns');
  const env = { PATH: process.env['PATH'] ?? '' };
  [site, agent] = await Promise.all([
    startFixtureSite(),
    openAgent({ home, env, log: silentLogger, uploads: 'none', keepWarm: true }),
  ]);
  page = site.page('/slow', `<p id="p">${SLOW_TEXT}</p><button>${SLOW_TEXT}</button>`);
});

afterAll(async () => {
  await agent.close();
  await site.close();
  removeHome(home);
});

async function run(script: JsonObject): Promise<{ outcome: RunOutcome; longestMs: number }> {
  const watch = watchLoop();
  try {
    const outcome = await agent.engine.execute(
      { runId: newRunId(), input: { kind: 'script', script: { name: 'slow', ...script } } },
      { signal: AbortSignal.timeout(RUN_MS) },
    );
    return { outcome, longestMs: watch.longestMs() };
  } finally {
    watch.stop();
  }
}

const open = (): JsonObject => ({ action: 'navigate', url: `${page}?${SLOW_TEXT}` });
const paragraph = { strategy: 'selector', value: '#p' };
const slow = '^(\\w+\\s?)+$';

const steps: Record<string, JsonObject> = {
  url_matches: { action: 'assert', condition: { type: 'url_matches', pattern: '(a+)+$' } },
  element_text: { action: 'assert', condition: { type: 'element_text', locator: paragraph, matches: slow } },
  'wait_for_url with a regular expression': { action: 'wait_for_url', pattern: '/(a+)+$/', timeout: 5_000 },
  'wait_for_url with a glob': { action: 'wait_for_url', pattern: `${'**a'.repeat(12)}b`, timeout: 5_000 },
  wait_for_response: { action: 'wait_for_response', pattern: '/(a+)+$/', timeout: 5_000 },
  extract_dom: {
    action: 'extract_dom',
    extractions: [{ name: 'x', strategy: 'regex', selector: '#p', pattern: slow }],
  },
};

test.each(Object.entries(steps))('%s: the step fails with a reason', async (_name, step) => {
  const { outcome, longestMs } = await run({ steps: [open(), step] });
  expect(outcome).toMatchObject({ state: 'failed' });
  expect(JSON.stringify(outcome.result)).toMatch(/took longer than 1 s on \d+ characters/);
  expect(longestMs).toBeLessThan(MAX_BLOCK_MS);
});

test('variables.pattern: the run fails before there is a browser', async () => {
  const { outcome, longestMs } = await run({
    variables: { v: { type: 'string', pattern: '^(a+)+$', default: SLOW_TEXT } },
    steps: [{ action: 'wait', duration: 1 }],
  });
  expect(outcome).toMatchObject({ state: 'failed', error: { name: 'BrowserAgent.InvalidScript' } });
  expect(outcome.error?.message).toMatch(/"\^\(a\+\)\+\$" took longer than 1 s on 41 characters/);
  expect(longestMs).toBeLessThan(MAX_BLOCK_MS);
});

test('the name of a role is looked for in the page, whose step ends by its time-out', async () => {
  const { outcome, longestMs } = await run({
    steps: [
      open(),
      { action: 'click', timeout: 2_000, locator: { strategy: 'role', value: 'button', name: '/^(a+)+$/' } },
    ],
  });
  expect(outcome).toMatchObject({ state: 'failed', error: { name: 'BrowserAgent.StepTimeout' } });
  expect(longestMs).toBeLessThan(MAX_BLOCK_MS);
});

test('a pattern that is slow in one run does not fail another run', async () => {
  const [evil, good] = await Promise.all([
    run({ steps: [open(), steps['url_matches']!] }),
    run({
      steps: [open(), { action: 'assert', condition: { type: 'url_matches', pattern: '(?=.*a!)slow' } }],
    }),
  ]);
  expect(evil.outcome.state).toBe('failed');
  expect(good.outcome.state).toBe('succeeded');
});
