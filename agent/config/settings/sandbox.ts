import { z } from 'zod';
import { settingDocs, settingGroup } from './group.ts';

export const sandbox = settingGroup({
  doc: 'To try the agent without AWS ([sandbox.md](sandbox.md)).',
  applies: 'restart',
  schema: z.strictObject({
    enabled: z.boolean().default(false).register(settingDocs, {
      doc: 'Whether the agent works on a stand-in for AWS that it starts inside itself, to try it without an AWS account. Nothing then goes to AWS or comes from it. What is in the stand-in (uploaded evidence, executions) is gone when the agent stops or restarts; the history on this machine stays.',
    }),
  }),
});
