import { z } from 'zod';
import { settingDocs, settingGroup } from './group.ts';

export const script = settingGroup({
  doc: 'What scripts may reach.',
  applies: 'next run',
  schema: z.strictObject({
    allowed_env: z
      .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/))
      .default([])
      .register(settingDocs, {
        doc: 'Environment variables that scripts may read with `{{env.NAME}}`.',
        ownerOnly: true,
        allowed: 'a list of variable names',
      }),
    allowed_domains: z.array(z.string().min(1)).nullable().default(null).register(settingDocs, {
      doc: 'Domains that scripts may visit, whatever their own policy says; subdomains with `*.example.com`. When it is not set: all.',
    }),
  }),
});
