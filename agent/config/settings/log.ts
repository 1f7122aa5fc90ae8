import { z } from 'zod';
import { settingDocs, settingGroup } from './group.ts';

export const log = settingGroup({
  doc: 'What the agent says.',
  applies: 'restart',
  schema: z.strictObject({
    level: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      .default('info')
      .register(settingDocs, { doc: 'How much the agent logs.' }),
    file: z.boolean().default(true).register(settingDocs, {
      doc: 'Whether `run` writes its log, beside standard error, to `logs/agent.log` in the data directory.',
    }),
    max_size_mb: z.number().min(0.1).max(10_000).default(10).register(settingDocs, {
      doc: 'Size at which that file is put aside as `agent.log.1` and a new one begun, in MB.',
    }),
    max_files: z.int().min(2).max(1_000).default(5).register(settingDocs, {
      doc: 'Log files that are kept, the current one included; the oldest is removed.',
    }),
  }),
});
