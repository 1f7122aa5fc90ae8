import { GetExecutionHistoryCommand } from '@aws-sdk/client-sfn';
import { expect, onTestFinished, test } from 'vitest';
import { settingsSchema } from '../../agent/config/schema.ts';
import { sandboxFixture } from '../../test/integration/sandbox-fixture.ts';
import { sampleDefinition } from './sample.ts';

interface Browser {
  HeartbeatSeconds: number;
  TimeoutSeconds: number;
  Retry: { ErrorEquals: string[] }[];
}

function definition(activityArn: string): object {
  const text = JSON.stringify(sampleDefinition());
  return JSON.parse(text.replaceAll('${ActivityArn}', activityArn)) as object;
}

test('the limits of the sample leave an agent its own', () => {
  const { Browser: browser } = (sampleDefinition() as { States: { Browser: Browser } }).States;
  const worker = settingsSchema.shape.worker.parse({});
  const run = settingsSchema.shape.run.parse({});
  expect(browser.HeartbeatSeconds).toBeGreaterThanOrEqual(3 * worker.heartbeat_seconds);
  expect(browser.TimeoutSeconds).toBeGreaterThan(run.default_timeout_ms / 1000 + run.max_pause_seconds);
  // What may have been begun is not tried again unseen.
  expect(browser.Retry.flatMap(({ ErrorEquals: errors }) => errors)).toEqual(['BrowserAgent.Draining']);
});

test.each([
  ['BrowserAgent.Interrupted', 'LookWhatWasDone'],
  ['BrowserAgent.LoginRequired', 'TellTheOwner'],
  ['BrowserAgent.ElementNotFound', 'Failed'],
  ['Portal.Closed', 'Failed'],
])(
  'an execution of the sample whose task failed with %s ends in %s, with error and cause as they came',
  async (error, state) => {
    const fixture = await sandboxFixture();
    onTestFinished(() => fixture.close());
    const activityArn = await fixture.activity();
    const executionArn = await fixture.start(definition(activityArn), { tool_input: {} });
    const task = await fixture.take(activityArn);
    expect(task.input).toEqual({ tool_input: {} });
    await task.fail(error, '{"step":3}');
    expect(await fixture.result(executionArn)).toMatchObject({
      status: 'FAILED',
      error,
      cause: '{"step":3}',
    });
    const { events = [] } = await fixture.sfn.send(new GetExecutionHistoryCommand({ executionArn }));
    expect(events.map(({ stateEnteredEventDetails: entered }) => entered?.name)).toContain(state);
  },
);

test('an execution of the sample gives the task’s output', async () => {
  const fixture = await sandboxFixture();
  onTestFinished(() => fixture.close());
  const activityArn = await fixture.activity();
  const executionArn = await fixture.start(definition(activityArn), { tool_input: {} });
  await (await fixture.take(activityArn)).succeed({ total: 3 });
  expect(await fixture.result(executionArn)).toMatchObject({ status: 'SUCCEEDED', output: '{"total":3}' });
});
