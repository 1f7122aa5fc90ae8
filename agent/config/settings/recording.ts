import { z } from 'zod';
import { RECORDING_LEVELS } from '../../base/words.ts';
import { settingDocs, settingGroup } from './group.ts';

const level = z.enum(RECORDING_LEVELS);

export const recording = settingGroup({
  doc: 'Which evidence is made, uploaded and kept. See the table of levels in [design.md](design.md).',
  applies: 'next run',
  schema: z.strictObject({
    level_override: level
      .nullable()
      .default(null)
      .register(settingDocs, {
        doc: 'Wins over the level of task, script and settings; only `recording.max_level` is stronger. A value that cannot be read counts as NONE.',
        env: ['RECORDING_LEVEL_OVERRIDE'],
        envOnly: true,
        applies: 'restart',
        whenInvalid: 'NONE',
      }),
    default_level: level.default('INFO').register(settingDocs, {
      doc: 'Level of runs for which neither task nor script nor the two settings below say one.',
      fromAws: true,
    }),
    level_by_agent: z
      .record(z.string(), level)
      .default({})
      .register(settingDocs, {
        doc: 'Level by the name of the agent or state machine that asks.',
        allowed: `names with one of ${RECORDING_LEVELS.join(', ')} each`,
      }),
    level_by_env: z
      .record(z.string(), level)
      .default({})
      .register(settingDocs, {
        doc: 'Level by environment.',
        allowed: `names with one of ${RECORDING_LEVELS.join(', ')} each`,
      }),
    max_level: level.default('TRACE').register(settingDocs, {
      doc: 'The owner’s cap: nothing above it is uploaded, even when a task or script asks. A value that cannot be read counts as NONE.',
      fromAws: true,
      whenInvalid: 'NONE',
    }),
    keep_level: level.default('INFO').register(settingDocs, {
      doc: 'What is kept on this machine for the history, whatever is uploaded.',
    }),
    keep_days: z.number().min(0).max(3_650).default(30).register(settingDocs, {
      doc: 'Days after which kept runs are removed.',
      applies: 'now',
    }),
    keep_gb: z.number().min(0).max(10_000).default(5).register(settingDocs, {
      doc: 'Size that kept runs may take together, in GB. Above it the oldest of those that are in S3 as well are removed first, then of those that succeeded, then of the others; never what is still on its way to S3.',
      applies: 'now',
    }),
    wait_for_uploads: z.boolean().default(false).register(settingDocs, {
      doc: 'Whether a task is reported only when its evidence is in S3 (waiting two minutes at the most); otherwise its result names what is pending.',
      fromAws: true,
    }),
    mask_selectors: z.array(z.string().min(1)).default([]).register(settingDocs, {
      doc: 'CSS selectors of elements that are masked in every screenshot, page, trace and video.',
      fromAws: true,
    }),
  }),
});
