import { describe, expect, it } from 'vitest';
import { browserHome } from '../../test/fixtures/browser-home.ts';
import { childAgent } from '../../test/fixtures/child-agent.ts';
import { systemClock } from '../base/clock.ts';
import { AgentError } from '../base/errors.ts';
import { silentLogger } from '../base/log.ts';
import { ProfileLocks } from './profile-locks.ts';

async function locksOn(name = 'p') {
  const home = await browserHome();
  const { profileId } = home.profiles.create({ name });
  const locks = new ProfileLocks(home.profileRows, home.processes, systemClock, silentLogger);
  return { home, profileId, locks };
}

describe('the lock of a profile', () => {
  it('is given to the runs of one process in the order in which they asked', async () => {
    const { locks, profileId } = await locksOn();
    const order: string[] = [];
    const first = await locks.acquire(profileId, { runId: 'first' });
    const others = ['second', 'third', 'fourth'].map(async (runId) => {
      const release = await locks.acquire(profileId, { runId });
      order.push(runId);
      release();
    });
    first();
    await Promise.all(others);
    expect(order).toEqual(['second', 'third', 'fourth']);
  });

  it('tells a run once that it waits, and for whom', async () => {
    const { locks, profileId } = await locksOn();
    const release = await locks.acquire(profileId, { runId: 'holder' });
    const told: (string | undefined)[] = [];
    const waiting = locks.acquire(profileId, {
      runId: 'w',
      onWaiting: (heldBy) => {
        told.push(heldBy?.runId);
        release();
      },
    });
    (await waiting)();
    expect(told).toEqual(['holder']);
  });

  it('is not waited for any longer once the signal is aborted, and those behind move up', async () => {
    const { locks, profileId } = await locksOn();
    const release = await locks.acquire(profileId, { runId: 'holder' });
    const controller = new AbortController();
    const gaveUp = locks.acquire(profileId, { runId: 'gives up', signal: controller.signal });
    const behind = locks.acquire(profileId, { runId: 'behind' });
    const reason = new AgentError('BrowserAgent.Cancelled', 'cancelled by a test');
    controller.abort(reason);
    await expect(gaveUp).rejects.toBe(reason);
    release();
    (await behind)();
  });

  it('that stays taken is an error after the time-out that was given', async () => {
    const { locks, profileId } = await locksOn();
    const release = await locks.acquire(profileId, { runId: 'holder' });
    for (const timeoutMs of [0, 20]) {
      await expect(locks.acquire(profileId, { runId: 'w', timeoutMs })).rejects.toMatchObject({
        errorName: 'BrowserAgent.ProfileBusy',
        data: { run_id: 'holder' },
      });
    }
    release();
  });

  it('of a deleted profile is an error', async () => {
    const { home, locks, profileId } = await locksOn();
    home.profileRows.delete(profileId);
    await expect(locks.acquire(profileId, { runId: 'r' })).rejects.toMatchObject({
      errorName: 'BrowserAgent.ProfileNotFound',
    });
  });

  it('held under a pid that another process has by now is broken at once', async () => {
    const { home, locks, profileId } = await locksOn();
    const owner = { pid: process.ppid, started: 'before' };
    home.profileRows.tryLock({ profileId, runId: 'dead', owner, acquiredAt: 1 });
    expect(await locks.holder(profileId)).toBeUndefined();
    const release = await locks.acquire(profileId, { runId: 'r', timeoutMs: 0 });
    expect(await locks.holder(profileId)).toMatchObject({ runId: 'r' });
    release();
    expect(home.profileRows.locks()).toEqual([]);
  });

  it('held by another process is waited for, and taken when that is ended with kill -9', async () => {
    const { home, locks, profileId } = await locksOn();
    const child = await childAgent(home.paths.home, 'lock', 'p');
    await expect(locks.acquire(profileId, { runId: 'r', timeoutMs: 0 })).rejects.toMatchObject({
      errorName: 'BrowserAgent.ProfileBusy',
      data: { run_id: 'run-of-child', pid: child.said['pid'] },
    });
    const told = Promise.withResolvers<void>();
    const waiting = locks.acquire(profileId, { runId: 'r', onWaiting: () => told.resolve() });
    await told.promise;
    await child.kill();
    (await waiting)();
  });
});
