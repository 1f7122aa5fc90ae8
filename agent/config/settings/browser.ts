import { z } from 'zod';
import { optionalText, settingDocs, settingGroup } from './group.ts';

export const browser = settingGroup({
  doc: 'Which browser runs, and how.',
  applies: 'restart',
  schema: z.strictObject({
    channel: optionalText().register(settingDocs, {
      doc: 'Which installed browser to use, as Playwright names it: `chrome`, `msedge`, `chrome-beta`… When it is not set: Chrome, Edge, Playwright’s Chromium, the system’s Chromium, whichever is there first.',
    }),
    executable_path: optionalText().register(settingDocs, {
      doc: 'Path of a Chromium-based browser; wins over `browser.channel`.',
      ownerOnly: true,
    }),
    headless: z.boolean().default(true).register(settingDocs, {
      doc: 'Whether runs go without a window when script and command line do not say.',
      applies: 'next run',
    }),
    keep_warm: z.boolean().default(true).register(settingDocs, {
      doc: 'Whether one headless browser stays open between runs without a profile: they start at once, and it takes memory.',
    }),
    download_url: z
      .url({ protocol: /^https?$/ })
      .nullable()
      .default(null)
      .register(settingDocs, {
        doc: 'Where a browser is fetched from when the setup is asked to: a mirror of Chrome for Testing, in closed networks. When it is not set: Google’s own place.',
        allowed: 'an http or https URL',
        applies: 'now',
        ownerOnly: true,
      }),
    args: z.array(z.string().min(1)).default([]).register(settingDocs, {
      doc: 'Further command-line arguments for the browser.',
      ownerOnly: true,
    }),
    // 4,000 MB is what the ZIP format in a profile file can hold.
    max_profile_mb: z.int().min(10).max(4_000).default(2_000).register(settingDocs, {
      doc: 'Maximum size of a profile file, and of the data in it, when a profile is exported or imported, in MB. Importing needs up to three times as much space on disk for a moment.',
      applies: 'now',
    }),
  }),
});
