import { z } from 'zod';
import { settingDocs, settingGroup } from './group.ts';

/** Longest wait a timer can hold (2^31 − 1 ms, about 24 days). */
const MAX_TIMER_MS = 2_147_483_647;

const timeMs = z.int().min(1).max(MAX_TIMER_MS);

export const run = settingGroup({
  doc: 'Limits of a run.',
  applies: 'next run',
  schema: z.strictObject({
    default_timeout_ms: timeMs.default(1_800_000).register(settingDocs, {
      doc: 'Time for a whole run whose script sets no `timeout`, in milliseconds.',
      fromAws: true,
    }),
    default_step_timeout_ms: timeMs.default(30_000).register(settingDocs, {
      doc: 'Time for a step that sets no `timeout`, in milliseconds.',
      fromAws: true,
    }),
    max_steps: z.int().min(1).max(1_000_000).nullable().default(null).register(settingDocs, {
      doc: 'Steps that one run may execute. Where it is not set: what the script’s own `limits` say, or 1,000; where it is, a script can lower it and never raise it.',
      fromAws: true,
    }),
    max_visits: z.int().min(1).max(1_000_000).nullable().default(null).register(settingDocs, {
      doc: 'Times that one step may be visited by `goto` and `next`. Where it is not set: what the script’s own `limits` say, or 10; where it is, a script can lower it and never raise it.',
      fromAws: true,
    }),
    max_pause_seconds: z.int().min(1).max(604_800).default(3_600).register(settingDocs, {
      doc: 'How long a run may stay paused or taken over without interruption, in seconds; then it fails with `BrowserAgent.HumanTimeout`.',
      fromAws: true,
      applies: 'next run',
    }),
  }),
});
