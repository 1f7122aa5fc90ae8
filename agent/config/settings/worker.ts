import { z } from 'zod';
import { settingDocs, settingGroup } from './group.ts';

export const worker = settingGroup({
  doc: 'How tasks are taken.',
  applies: 'restart',
  schema: z.strictObject({
    name: z.string().min(1).max(80).nullable().default(null).register(settingDocs, {
      doc: 'Name that Step Functions shows for this worker. When it is not set: the name of the machine.',
    }),
    concurrency: z.int().min(1).max(16).default(1).register(settingDocs, {
      doc: 'Tasks at a time. Two never run in one profile: the second waits.',
      fromAws: true,
    }),
    heartbeat_seconds: z.number().min(1).max(3_600).default(20).register(settingDocs, {
      doc: 'Time between heartbeats. Keep it below half of `HeartbeatSeconds` in the state machine.',
      fromAws: true,
    }),
    drain_deadline_seconds: z.number().min(0).max(86_400).default(600).register(settingDocs, {
      doc: 'How long `drain` and SIGTERM wait for running tasks before they are cancelled.',
    }),
  }),
});
