/** What every part of the bench needs: sandbox, portal, and an agent on a data directory of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAgent, type Agent } from '../../agent/agent.ts';
import { silentLogger } from '../../agent/base/log.ts';
import {
  seedEnvironment,
  startPortal,
  startSandbox,
  type Portal,
  type Sandbox,
  type SeededEnvironment,
} from '../../agent/sandbox/index.ts';

export interface Stage {
  home: string;
  sandbox: Sandbox;
  seeded: SeededEnvironment;
  portal: Portal;
  agent: Agent;
  env: NodeJS.ProcessEnv;
}

export interface StageOptions {
  keepWarm: boolean;
  flags?: Record<string, unknown>;
}

export async function withStage<T>(options: StageOptions, work: (stage: Stage) => Promise<T>): Promise<T> {
  const portal = await startPortal();
  const sandbox = await startSandbox();
  try {
    const seeded = await seedEnvironment(sandbox, { env: 'bench' });
    return await withAgent(options, { env: sandbox.env, seeded }, (one) =>
      work({ ...one, sandbox, seeded, portal }),
    );
  } finally {
    await sandbox.close();
    await portal.close();
  }
}

export async function withAgent<T>(
  options: StageOptions,
  cloud: { env: Record<string, string>; seeded: SeededEnvironment },
  work: (one: Pick<Stage, 'home' | 'agent' | 'env'>) => Promise<T>,
): Promise<T> {
  const home = mkdtempSync(join(tmpdir(), 'lba-bench-'));
  try {
    // The SDK looks for credentials in the environment of the process.
    const env = Object.assign(process.env, cloud.env);
    const agent = await openAgent({
      home,
      env,
      log: silentLogger,
      keepWarm: options.keepWarm,
      flags: {
        'aws.activity_arn': cloud.seeded.activityArn,
        'aws.s3_bucket': cloud.seeded.bucket,
        ...options.flags,
      },
    });
    try {
      return await work({ home, agent, env });
    } finally {
      await agent.close();
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
