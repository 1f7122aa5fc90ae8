/** Site and AWS stand-in in a process of their own: what a real agent does not do itself must not cost it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import {
  seedEnvironment,
  startPortal,
  startSandbox,
  type SeededEnvironment,
} from '../../agent/sandbox/index.ts';

export interface Surroundings {
  portalUrl: string;
  /** What the AWS SDK looks for in the environment. */
  env: Record<string, string>;
  seeded: SeededEnvironment;
}

export async function withSurroundings<T>(work: (around: Surroundings) => Promise<T>): Promise<T> {
  const child = fork(fileURLToPath(import.meta.url));
  try {
    const [around] = (await once(child, 'message')) as [Surroundings];
    return await work(around);
  } finally {
    child.disconnect();
    await once(child, 'exit');
  }
}

if (process.send) {
  process.once('disconnect', () => process.exit());
  const [portal, sandbox] = await Promise.all([startPortal(), startSandbox()]);
  const seeded = await seedEnvironment(sandbox, { env: 'bench' });
  process.send({ portalUrl: portal.url, env: sandbox.env, seeded } satisfies Surroundings);
}
