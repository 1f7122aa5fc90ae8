/** A run's evidence on its way to S3, in the built page: refused, tried again, held up and through. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { axeInBoth, goTo, openTestPages, shot, sticksOut, type TestPages } from '../fixtures/app.ts';
import { startFaultyS3, type FaultyS3 } from '../fixtures/faulty-s3.ts';
import { openServingAgent, type ServingTestAgent } from '../fixtures/serving.ts';

/** A run on a busy machine. */
const PATIENCE_MS = 60_000;
/** As long as it may be, and nowhere to break it. */
const LONG_NAME = 'MonthlyStatementOfEveryCustomer_'.repeat(4);

let s3: FaultyS3;
let agent: ServingTestAgent;
let pages: TestPages;

beforeAll(async () => {
  s3 = await startFaultyS3();
  s3.createBucket('evidence');
  const variables = {
    AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_REGION: 'eu-west-1',
    AWS_ENDPOINT_URL_S3: s3.url,
    S3_BUCKET: 'evidence',
  };
  // The SDK reads it there.
  Object.assign(process.env, variables);
  agent = await openServingAgent({ variables });
  pages = await openTestPages(agent);
});

afterAll(async () => {
  await pages?.close();
  await agent?.close();
  await s3?.close();
});

test('what S3 refuses is shown with the reason, and tried again when a person asks', async () => {
  s3.fault = ({ method }) => (method === 'PUT' ? { status: 403, code: 'AccessDenied' } : undefined);
  const script = { name: LONG_NAME, steps: [{ action: 'screenshot', name: LONG_NAME }] };
  const { status, json, text } = await agent.call('POST', '/runs', { body: { script, level: 'INFO' } });
  expect(status, text).toBeLessThan(300);
  const { run_id: runId } = json as { run_id: string };
  const page = await pages.open(`/runs/${runId}`);
  const notice = page.getByRole('alert').filter({ hasText: /files? waits? to be uploaded/ });
  await notice.getByText(/s3:PutObject/).waitFor({ timeout: PATIENCE_MS });
  await page.getByText(/^0 of \d+ files in S3, 0 B of /).waitFor();
  await page.setViewportSize({ width: 420, height: 700 });
  expect(await sticksOut(page)).toBe(0);
  await shot(page, 'run-uploads-refused-narrow');
  await page.setViewportSize({ width: 1_000, height: 700 });
  expect(await axeInBoth(page, 'run-uploads-refused')).toEqual([]);

  let pass: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    pass = resolve;
  });
  let sent = 0;
  // The first goes through, the others wait.
  s3.fault = ({ method }) => (method === 'PUT' && (sent += 1) > 1 ? held : undefined);
  await notice.getByRole('button', { name: 'Try again now' }).click();
  await page.getByText(/^1 of \d+ files in S3/).waitFor({ timeout: PATIENCE_MS });
  expect(Number(await page.getByRole('progressbar').getAttribute('aria-valuenow'))).toBeGreaterThan(0);
  pass();
  await page.getByText(/^\d+ files in S3, /).waitFor({ timeout: PATIENCE_MS });
  await notice.waitFor({ state: 'detached' });

  // Nor does the long name break another screen. The first visit of Home leads to the wizard.
  await page.setViewportSize({ width: 420, height: 700 });
  await goTo(page, '/runs');
  await page.getByRole('link', { name: LONG_NAME }).waitFor();
  expect(await sticksOut(page)).toBe(0);
  await goTo(page, '/');
  await page.waitForURL(/#\/setup/);
  await goTo(page, '/');
  await page.getByRole('table', { name: 'Recent runs' }).getByText(LONG_NAME).waitFor();
  expect(await sticksOut(page)).toBe(0);
  await shot(page, 'home-long-name-narrow');
  await page.context().close();
}, 180_000);
