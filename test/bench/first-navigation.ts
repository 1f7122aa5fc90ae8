/** Time from a task's arrival to its first navigation, as the portal sees it: with the browser kept warm, and cold. */
import { serve } from '../../agent/serve.ts';
import { median, withStage, type Stage } from './stage.ts';

const GOAL_MS = { warm: 100, cold: 800 };

export async function benchFirstNavigation(rounds: number): Promise<void> {
  console.log('\nFrom a task in hand to the first request at the site');
  console.log('| browser | median ms | slowest ms | goal ms |\n|---|---:|---:|---:|');
  for (const kind of ['warm', 'cold'] as const) {
    const times = await withStage({ keepWarm: kind === 'warm' }, (stage) => measure(stage, rounds));
    console.log(
      `| ${kind} | ${median(times).toFixed(0)} | ${Math.max(...times).toFixed(0)} | ${GOAL_MS[kind]} |`,
    );
  }
}

async function measure(stage: Stage, rounds: number): Promise<number[]> {
  const { agent, sandbox, seeded, portal } = stage;
  const definition = JSON.stringify({
    StartAt: 'Browser',
    States: { Browser: { Type: 'Task', Resource: seeded.activityArn, End: true } },
  });
  const { stateMachineArn } = await sandbox.call('states', 'CreateStateMachine', {
    name: 'bench',
    definition,
    roleArn: seeded.roleArn,
  });
  const input = JSON.stringify({
    name: 'open',
    recording_level: 'NONE',
    steps: [{ action: 'navigate', url: `${portal.url}/health` }],
  });
  await agent.warm?.start();
  const { worker, done } = await serve(agent);
  let receivedAt = 0;
  agent.events.on('test', (event) => {
    if (event.type === 'task.received') receivedAt = Date.now();
  });
  const times: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    portal.requests.clear();
    const { executionArn } = await sandbox.call('states', 'StartExecution', { stateMachineArn, input });
    const execution = await sandbox.executionEnded(String(executionArn));
    if (execution.status !== 'SUCCEEDED') throw new Error(`${execution.error}: ${execution.cause}`);
    const first = portal.requests.all()[0]!;
    if (round > 0) times.push(first.time - receivedAt);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
  }
  await worker.stop({ deadlineMs: 5_000 });
  await done;
  return times;
}
