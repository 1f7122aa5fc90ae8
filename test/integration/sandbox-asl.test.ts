import { SendTaskHeartbeatCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorOf, ROLE_ARN, sandboxFixture, type SandboxFixture } from './sandbox-fixture.ts';

let fixture: SandboxFixture;
beforeAll(async () => {
  fixture = await sandboxFixture();
});
afterAll(async () => {
  await fixture.close();
});

const CAUGHT = { Type: 'Pass', End: true };

function oneTask(activityArn: string, fields: object): object {
  return {
    StartAt: 'Work',
    States: {
      Work: { Type: 'Task', Resource: activityArn, End: true, ...fields },
      Caught: CAUGHT,
      Other: { Type: 'Succeed' },
    },
  };
}

/** `Caught` and `Other` must be reachable: a catcher for each that a test does not define itself. */
const UNUSED = [
  { ErrorEquals: ['Never.Caught'], Next: 'Caught' },
  { ErrorEquals: ['Never.Other'], Next: 'Other' },
];

function catching(...rules: object[]): object {
  return { Catch: [...UNUSED, ...rules] };
}

describe('time limits of an activity task', { concurrent: true }, () => {
  it('TimeoutSeconds counts from the moment a worker takes the task and ends it with States.Timeout', async () => {
    const arn = await fixture.activity();
    const execution = await fixture.start(oneTask(arn, { TimeoutSeconds: 1, ...catching() }));
    const task = await fixture.take(arn);
    const end = await fixture.result(execution);
    expect(end).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    expect(await fixture.eventTypes(execution)).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'ActivityScheduled',
      'ActivityStarted',
      'ActivityTimedOut',
      'ExecutionFailed',
    ]);
    expect(await errorOf(task.succeed({}))).toMatchObject({ name: 'TaskTimedOut', status: 400 });
  });

  it('a task without heartbeats for HeartbeatSeconds ends with States.HeartbeatTimeout', async () => {
    const arn = await fixture.activity();
    const execution = await fixture.start(oneTask(arn, { HeartbeatSeconds: 1, ...catching() }));
    await fixture.take(arn);
    expect(await fixture.result(execution)).toMatchObject({ error: 'States.HeartbeatTimeout' });
  });

  it('heartbeats keep a task alive beyond HeartbeatSeconds', async () => {
    const arn = await fixture.activity();
    const execution = await fixture.start(
      oneTask(arn, { HeartbeatSeconds: 3, TimeoutSeconds: 5, ...catching() }),
    );
    const { taskToken } = await fixture.take(arn);
    const beat = setInterval(() => {
      fixture.sfn.send(new SendTaskHeartbeatCommand({ taskToken })).catch(() => undefined);
    }, 200);
    try {
      expect(await fixture.result(execution)).toMatchObject({ error: 'States.Timeout' });
    } finally {
      clearInterval(beat);
    }
  });

  it('a catcher of States.Timeout also catches a missed heartbeat, and sees its own name', async () => {
    const arn = await fixture.activity();
    const execution = await fixture.start(
      oneTask(arn, {
        HeartbeatSeconds: 1,
        ...catching({ ErrorEquals: ['States.Timeout'], Next: 'Caught', ResultPath: '$.error' }),
      }),
    );
    await fixture.take(arn);
    const end = await fixture.result(execution);
    expect(JSON.parse(end.output!)).toMatchObject({ error: { Error: 'States.HeartbeatTimeout' } });
  });

  it('States.TaskFailed does not match States.Timeout', async () => {
    const arn = await fixture.activity();
    const execution = await fixture.start(
      oneTask(arn, {
        TimeoutSeconds: 1,
        ...catching(
          { ErrorEquals: ['States.TaskFailed'], Next: 'Other' },
          { ErrorEquals: ['States.ALL'], Next: 'Caught' },
        ),
      }),
    );
    await fixture.take(arn);
    const end = await fixture.result(execution);
    expect(JSON.parse(end.output!)).toEqual({ Error: 'States.Timeout', Cause: '' });
    expect(await fixture.eventTypes(execution)).toContain('PassStateEntered');
  });

  it('limits can come from the input, also inside a Map', async () => {
    const arn = await fixture.activity();
    const execution = await fixture.start(
      {
        StartAt: 'Each',
        States: {
          Each: {
            Type: 'Map',
            ItemsPath: '$.items',
            ItemProcessor: {
              StartAt: 'Work',
              States: {
                Work: { Type: 'Task', Resource: arn, HeartbeatSecondsPath: '$.beat', End: true },
              },
            },
            End: true,
          },
        },
      },
      { items: [{ beat: 1 }] },
    );
    const task = await fixture.take(arn);
    expect(task.input).toEqual({ beat: 1 });
    expect(await fixture.result(execution)).toMatchObject({ error: 'States.HeartbeatTimeout' });
  });

  it('a machine above its own TimeoutSeconds ends TIMED_OUT and its task is dropped', async () => {
    const arn = await fixture.activity();
    const execution = await fixture.start({ ...oneTask(arn, catching()), TimeoutSeconds: 1 });
    const { taskToken } = await fixture.take(arn);
    expect(await fixture.result(execution)).toMatchObject({ status: 'TIMED_OUT' });
    expect(await errorOf(fixture.sfn.send(new SendTaskHeartbeatCommand({ taskToken })))).toMatchObject({
      name: 'TaskTimedOut',
    });
  });
});

describe('Retry and Catch', { concurrent: true }, () => {
  it('Retry waits IntervalSeconds times BackoffRate, at most MaxDelaySeconds, and gives up after MaxAttempts', async () => {
    const arn = await fixture.activity();
    const execution = await fixture.start(
      oneTask(arn, {
        Retry: [
          {
            ErrorEquals: ['BrowserAgent.StepFailed'],
            IntervalSeconds: 1,
            BackoffRate: 60,
            MaxDelaySeconds: 1,
            MaxAttempts: 2,
          },
        ],
        ...catching(),
      }),
    );
    const times: number[] = [];
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const task = await fixture.take(arn);
      times.push(performance.now());
      await task.fail('BrowserAgent.StepFailed', `attempt ${attempt}`);
    }
    expect(await fixture.result(execution)).toMatchObject({
      status: 'FAILED',
      error: 'BrowserAgent.StepFailed',
      cause: 'attempt 2',
    });
    const [first = 0, second = 0, third = 0] = times;
    for (const gap of [second - first, third - second]) {
      expect(gap).toBeGreaterThan(950);
      expect(gap).toBeLessThan(3000);
    }
  });

  it('an error no retrier names fails at once; a catcher by name gets Error and Cause', async () => {
    const arn = await fixture.activity();
    const execution = await fixture.start(
      oneTask(arn, {
        Retry: [{ ErrorEquals: ['States.Timeout'], IntervalSeconds: 1, MaxAttempts: 1 }],
        ...catching({ ErrorEquals: ['BrowserAgent.LoginRequired'], Next: 'Caught', ResultPath: '$.why' }),
      }),
      { kept: true },
    );
    await (await fixture.take(arn)).fail('BrowserAgent.LoginRequired', '{"run_id":"1"}');
    const end = await fixture.result(execution);
    expect(JSON.parse(end.output!)).toEqual({
      kept: true,
      why: { Error: 'BrowserAgent.LoginRequired', Cause: '{"run_id":"1"}' },
    });
  });

  it('JitterStrategy FULL waits at most the interval', async () => {
    const arn = await fixture.activity();
    const execution = await fixture.start(
      oneTask(arn, {
        Retry: [{ ErrorEquals: ['States.ALL'], IntervalSeconds: 1, MaxAttempts: 1, JitterStrategy: 'FULL' }],
        ...catching(),
      }),
    );
    await (await fixture.take(arn)).fail('X');
    const before = performance.now();
    await (await fixture.take(arn)).succeed('done');
    expect(performance.now() - before).toBeLessThan(2500);
    expect(await fixture.result(execution)).toMatchObject({ output: '"done"' });
  });

  // Each character has three bytes: within the length SendTaskSuccess accepts, above the limit in bytes.
  const large = '€'.repeat(100_000);

  it('a result above 262,144 bytes is States.DataLimitExceeded, which States.ALL does not catch', async () => {
    const arn = await fixture.activity();
    const execution = await fixture.start(
      oneTask(arn, catching({ ErrorEquals: ['States.ALL'], Next: 'Caught' })),
    );
    await (await fixture.take(arn)).succeed(large);
    expect(await fixture.result(execution)).toMatchObject({
      status: 'FAILED',
      error: 'States.DataLimitExceeded',
    });
  });

  it('a catcher that names States.DataLimitExceeded catches it', async () => {
    const arn = await fixture.activity();
    const execution = await fixture.start(
      oneTask(
        arn,
        catching(
          { ErrorEquals: ['States.DataLimitExceeded'], Next: 'Caught' },
          { ErrorEquals: ['States.ALL'], Next: 'Other' },
        ),
      ),
    );
    await (await fixture.take(arn)).succeed(large);
    expect(await fixture.result(execution)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await fixture.eventTypes(execution)).toContain('PassStateEntered');
  });

  it('a state whose output grows above the limit fails the execution', async () => {
    const arn = await fixture.activity();
    const half = 'x'.repeat(200_000);
    const execution = await fixture.start(oneTask(arn, { ResultPath: '$.more', ...catching() }), {
      first: half,
    });
    await (await fixture.take(arn)).succeed(half);
    expect(await fixture.result(execution)).toMatchObject({ error: 'States.DataLimitExceeded' });
  });

  it('a failing branch of a Parallel drops the tasks of its siblings', async () => {
    const [good, bad] = await Promise.all([fixture.activity(), fixture.activity()]);
    const branch = (name: string, resource: string): object => ({
      StartAt: name,
      States: { [name]: { Type: 'Task', Resource: resource, End: true } },
    });
    const execution = await fixture.start({
      StartAt: 'Both',
      States: {
        Both: {
          Type: 'Parallel',
          Branches: [branch('Good', good), branch('Bad', bad)],
          Catch: [{ ErrorEquals: ['States.ALL'], Next: 'After' }],
          End: true,
        },
        After: { Type: 'Task', Resource: bad, End: true },
      },
    });
    const sibling = await fixture.take(good);
    await (await fixture.take(bad)).fail('Broken');
    const after = await fixture.take(bad);
    expect(await errorOf(sibling.succeed({}))).toMatchObject({ name: 'TaskTimedOut' });
    await after.succeed({ ok: true });
    expect(await fixture.result(execution)).toMatchObject({ output: '{"ok":true}' });
  });

  it('a sibling that waits for its retry is not tried again', async () => {
    const [waiting, bad] = await Promise.all([fixture.activity(), fixture.activity()]);
    const branch = (name: string, resource: string, retry: object): object => ({
      StartAt: name,
      States: { [name]: { Type: 'Task', Resource: resource, End: true, ...retry } },
    });
    const execution = await fixture.start({
      StartAt: 'Both',
      States: {
        Both: {
          Type: 'Parallel',
          Branches: [
            branch('Waiting', waiting, { Retry: [{ ErrorEquals: ['Again'], IntervalSeconds: 60 }] }),
            branch('Bad', bad, {}),
          ],
          Catch: [{ ErrorEquals: ['States.ALL'], Next: 'After' }],
          End: true,
        },
        After: { Type: 'Task', Resource: bad, End: true },
      },
    });
    await (await fixture.take(waiting)).fail('Again');
    await (await fixture.take(bad)).fail('Broken');
    const after = await fixture.take(bad);
    expect(fixture.sandbox.tasksWaiting(waiting)).toBe(0);
    await after.succeed({});
    expect(await fixture.result(execution)).toMatchObject({ status: 'SUCCEEDED' });
  });

  it('iterations that wait for their turn do not start once the Map has failed, but do when it is retried', async () => {
    const arn = await fixture.activity();
    const execution = await fixture.start(
      {
        StartAt: 'Each',
        States: {
          Each: {
            Type: 'Map',
            MaxConcurrency: 1,
            ItemProcessor: {
              StartAt: 'Pause',
              States: {
                Pause: { Type: 'Pass', Next: 'Work' },
                Work: { Type: 'Task', Resource: arn, End: true },
              },
            },
            Retry: [{ ErrorEquals: ['First'], IntervalSeconds: 1, MaxAttempts: 1 }],
            End: true,
          },
        },
      },
      ['a', 'b'],
    );
    const seen: unknown[] = [];
    for (const outcome of ['First', 'ok', 'ok']) {
      const task = await fixture.take(arn);
      seen.push(task.input);
      await (outcome === 'ok' ? task.succeed(task.input) : task.fail(outcome));
    }
    expect(seen).toEqual(['a', 'a', 'b']);
    expect(await fixture.result(execution)).toMatchObject({ status: 'SUCCEEDED', output: '["a","b"]' });
    expect(fixture.sandbox.tasksWaiting(arn)).toBe(0);
  });

  it('one failing Parallel of a Map leaves its namesakes in other iterations alone', async () => {
    const arn = await fixture.activity();
    const execution = await fixture.start(
      {
        StartAt: 'Each',
        States: {
          Each: {
            Type: 'Map',
            ItemProcessor: {
              StartAt: 'Inner',
              States: {
                Inner: {
                  Type: 'Parallel',
                  Branches: [
                    { StartAt: 'Work', States: { Work: { Type: 'Task', Resource: arn, End: true } } },
                  ],
                  Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Failed' }],
                  End: true,
                },
                Failed: { Type: 'Pass', Result: 'failed', End: true },
              },
            },
            End: true,
          },
        },
      },
      ['a', 'b'],
    );
    const [first, second] = [await fixture.take(arn), await fixture.take(arn)];
    await first.fail('X');
    await second.succeed(second.input);
    const end = await fixture.result(execution);
    expect(JSON.parse(end.output!)).toEqual(['failed', ['b']]);
  });

  it('stopping an execution kills the token of its task and gives up its queued ones', async () => {
    const arn = await fixture.activity();
    const execution = await fixture.start(oneTask(arn, catching()));
    const { taskToken } = await fixture.take(arn);
    await fixture.sfn.send(
      new StopExecutionCommand({ executionArn: execution, error: 'Stop', cause: 'by hand' }),
    );
    expect(await fixture.result(execution)).toMatchObject({
      status: 'ABORTED',
      error: 'Stop',
      cause: 'by hand',
    });
    expect(await errorOf(fixture.sfn.send(new SendTaskHeartbeatCommand({ taskToken })))).toMatchObject({
      name: 'TaskTimedOut',
    });
    expect(fixture.sandbox.tasksWaiting(arn)).toBe(0);
  });
});

describe('data flow', { concurrent: true }, () => {
  const cases: { rule: string; states: Record<string, object>; input: unknown; output: unknown }[] = [
    {
      rule: 'Result may be false',
      states: { A: { Type: 'Pass', Result: false, End: true } },
      input: {},
      output: false,
    },
    {
      rule: 'ResultPath $ replaces the input',
      states: { A: { Type: 'Pass', Result: { b: 1 }, ResultPath: '$', End: true } },
      input: { a: 1 },
      output: { b: 1 },
    },
    {
      rule: 'ResultPath takes brackets',
      states: { A: { Type: 'Pass', Result: 1, ResultPath: "$['b']['c']", End: true } },
      input: { a: 1 },
      output: { a: 1, b: { c: 1 } },
    },
    {
      rule: 'a Choice may ask for what is absent',
      states: {
        A: {
          Type: 'Choice',
          Choices: [{ And: [{ Variable: '$.x', IsPresent: false }], Next: 'B' }],
          Default: 'C',
        },
        B: { Type: 'Pass', Result: 'absent', End: true },
        C: { Type: 'Pass', Result: 'present', End: true },
      },
      input: {},
      output: 'absent',
    },
    {
      rule: 'intrinsic functions and the context object work, also inside a Map',
      states: {
        A: {
          Type: 'Map',
          ItemsPath: '$.items',
          ItemSelector: {
            'item.$': '$$.Map.Item.Value',
            'index.$': '$$.Map.Item.Index',
            'text.$': "States.Format('{}-{}', $$.Map.Item.Value, 'x')",
          },
          ItemProcessor: {
            StartAt: 'B',
            States: {
              B: {
                Type: 'Pass',
                Parameters: {
                  'all.$': '$',
                  'given.$': '$$.Execution.Input.given',
                  'state.$': '$$.State.Name',
                },
                End: true,
              },
            },
          },
          End: true,
        },
      },
      input: { items: ['p'], given: 7 },
      output: [{ all: { item: 'p', index: 0, text: 'p-x' }, given: 7, state: 'B' }],
    },
  ];
  it.each(cases)('$rule', async ({ states, input, output }) => {
    const execution = await fixture.start({ StartAt: 'A', States: states }, input);
    const end = await fixture.result(execution);
    expect(end).toMatchObject({ status: 'SUCCEEDED' });
    expect(JSON.parse(end.output!)).toEqual(output);
  });

  it('a Fail state ends the execution with its error and cause', async () => {
    const execution = await fixture.start({
      StartAt: 'A',
      States: { A: { Type: 'Fail', Error: 'My.Error', Cause: 'why' } },
    });
    expect(await fixture.result(execution)).toMatchObject({
      status: 'FAILED',
      error: 'My.Error',
      cause: 'why',
    });
  });

  it('a path that points nowhere is States.Runtime', async () => {
    const execution = await fixture.start({
      StartAt: 'A',
      States: { A: { Type: 'Pass', InputPath: '$.none', End: true } },
    });
    expect(await fixture.result(execution)).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
  });
});

describe('data that is no object, or very deep', () => {
  const twoTasks = (activityArn: string): object => ({
    StartAt: 'A',
    States: {
      A: { Type: 'Task', Resource: activityArn, InputPath: '$', Next: 'B' },
      B: { Type: 'Task', Resource: activityArn, OutputPath: '$', End: true },
    },
  });

  it.each([null, false, 0, '', 5, []].map((data) => ({ data })))(
    '$data goes into a task and out of it as it is',
    async ({ data }) => {
      const arn = await fixture.activity();
      const execution = await fixture.start(twoTasks(arn), data);
      for (const _ of ['A', 'B']) {
        const task = await fixture.take(arn);
        expect(task.input).toEqual(data);
        await task.succeed(data);
      }
      const end = await fixture.result(execution);
      expect(end).toMatchObject({ status: 'SUCCEEDED', output: JSON.stringify(data) });
    },
  );

  // Far deeper than any stack: the size is what the service limits.
  const DEPTH = 60_000;
  const deep = `{"a":${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}}`;
  const tooDeep = { status: 'FAILED', error: 'States.Runtime', cause: expect.stringContaining('too deep') };

  it('an input nested too deep for the interpreter fails the execution', async () => {
    const arn = await fixture.activity();
    const { stateMachineArn } = await fixture.sandbox.call('states', 'CreateStateMachine', {
      name: 'deep-input',
      definition: JSON.stringify(twoTasks(arn)),
      roleArn: ROLE_ARN,
    });
    const { executionArn } = await fixture.sandbox.call('states', 'StartExecution', {
      stateMachineArn,
      input: deep,
    });
    expect(await fixture.result(String(executionArn))).toMatchObject(tooDeep);
    expect(await fixture.eventTypes(String(executionArn))).toEqual(['ExecutionStarted', 'ExecutionFailed']);
  });

  it('a result nested too deep fails the execution, and the sandbox goes on', async () => {
    const arn = await fixture.activity();
    const execution = await fixture.start(twoTasks(arn));
    const { taskToken } = await fixture.take(arn);
    await fixture.sandbox.call('states', 'SendTaskSuccess', { taskToken, output: deep });
    expect(await fixture.result(execution)).toMatchObject(tooDeep);
    await fixture.start(twoTasks(await fixture.activity()));
  });
});
