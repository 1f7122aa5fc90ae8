/** The quick part of `npm run test:faults -- --fleet`. */
import { expect, test } from 'vitest';
import { FLEET_TASKS, proveFleet } from './fleet.ts';

const TIMEOUT_MS = 300_000;

test(
  'tasks that three agents share each end once, also those of one that is killed and comes back last',
  { timeout: TIMEOUT_MS },
  async () => {
    const { problems, ends, given, held } = await proveFleet(FLEET_TASKS.quick);
    expect(problems).toEqual([]);
    expect(ends.succeeded + ends.failed + ends.interrupted + ends.timedOut).toBe(FLEET_TASKS.quick);
    expect(Object.values(given).every((count) => count > 0)).toBe(true);
    // What it held was given up by the service, or told of when it was back.
    expect(held.filter(({ isPatient }) => !isPatient).map(({ end }) => end)).toContain(
      'States.HeartbeatTimeout',
    );
    expect(held.filter(({ isPatient }) => isPatient).map(({ end }) => end)).toContain(
      'BrowserAgent.Interrupted',
    );
  },
);
