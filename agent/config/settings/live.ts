import { z } from 'zod';
import { settingDocs, settingGroup } from './group.ts';

export const live = settingGroup({
  doc: 'Watching and steering runs ([live-view.md](live-view.md)).',
  applies: 'restart',
  schema: z.strictObject({
    tcp_port: z.int().min(0).max(65_535).default(0).register(settingDocs, {
      doc: 'Port on 127.0.0.1 where ordinary VNC clients watch the newest run; 0: none. They need the password that `local-browser-agent live` shows, a new one at each start.',
    }),
  }),
});
