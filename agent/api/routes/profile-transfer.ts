/** Export and import of profiles as encrypted files. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { drop } from '../../base/drop.ts';
import { LEFT_OUT_KINDS } from '../../browser/left-out.ts';
import { exportProfile, importProfile, type Transfer } from '../../browser/profile-transfer.ts';
import { parsingStreams } from '../streams.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, ApiError } from '../problem.ts';
import { name, params, profileSchema, profilesShown } from '../profile-shapes.ts';

const tags = ['profiles'];

/** Shorter passphrases are quickly guessed by anyone who has the file. */
const passphrase = z.string().min(8).max(1_000);

/** The body is the file, so the passphrase is in a header: UTF-8 as base64, because a header holds ASCII only. */
const PASSPHRASE_HEADER = 'lba-passphrase';

const importedSchema = profileSchema
  .extend({
    left_out: z
      .array(z.object({ kind: z.enum(LEFT_OUT_KINDS), count: z.int() }))
      .describe(
        'What the file held and the profile does not: files by kind, and keys of preferences. Empty for a file of this version.',
      ),
  })
  .meta({ id: 'ImportedProfile' });

export function profileTransferRoutes(ports: ApiPorts): FastifyPluginAsyncZod {
  const shown = profilesShown(ports);
  const { profiles, desk, temporary, config } = ports;
  const transfer = (): Transfer => ({
    profiles,
    desk,
    temporary,
    maxMb: config.settings.browser.max_profile_mb,
  });
  return async (app) => {
    parsingStreams(app);

    app.post(
      '/profiles/:name/export',
      {
        config: { scope: 'operate' },
        schema: {
          operationId: 'exportProfile',
          summary: 'Export a profile with its sign-ins as an encrypted file',
          description:
            'Anybody who has the file and the passphrase is signed in like its owner. docs/profile-files.md has the content and the format.',
          tags,
          params,
          body: z.strictObject({ passphrase }),
          response: answers(
            {
              200: {
                description: 'The file.',
                content: { '*/*': { schema: z.any() } },
              },
            },
            404,
            409,
            413,
            415,
          ),
        },
      },
      async ({ params, body }, reply) => {
        const profile = ports.profiles.get(params.name);
        const { path, remove } = await exportProfile(transfer(), profile, body.passphrase);
        const stream = createReadStream(path);
        stream.once('close', () => drop(remove(), ports.log, 'removing an exported profile'));
        const file = `${profile.name.replace(/[^\w.-]/g, '_')}.lbaprofile`;
        return reply
          .headers({
            'content-type': 'application/octet-stream',
            'content-disposition': `attachment; filename="${file}"`,
          })
          .send(stream as never);
      },
    );

    app.post(
      '/profiles/import',
      {
        // A file decides where runs are signed in: more than an operator does every day.
        config: { scope: 'admin' },
        schema: {
          operationId: 'importProfile',
          summary: 'Import a profile from an exported file',
          description: `The body is the file, as \`application/octet-stream\`; the header \`${PASSPHRASE_HEADER}\` is the passphrase, UTF-8 as base64. Only the data of sites, cookies and a few preferences are taken; \`left_out\` counts the rest.`,
          tags,
          querystring: z.object({ name: name.describe('Of the new profile.') }),
          response: answers({ 201: importedSchema }, 413, 415),
        },
      },
      async ({ query, body, headers }, reply) => {
        if (!(body instanceof Readable)) {
          throw new ApiError(
            415,
            'BrowserAgent.InvalidInput',
            'The body must be the file, as application/octet-stream.',
          );
        }
        const given = headers[PASSPHRASE_HEADER];
        const told = passphrase.safeParse(
          Buffer.from(typeof given === 'string' ? given : '', 'base64').toString('utf8'),
        );
        if (!told.success) {
          throw new ApiError(
            400,
            'BrowserAgent.InvalidInput',
            `The header ${PASSPHRASE_HEADER} must be the passphrase (8 characters or more), as base64.`,
          );
        }
        const { profile, leftOut } = await importProfile(transfer(), query.name, body, told.data);
        return reply
          .code(201)
          .header('location', `/api/v1/profiles/${encodeURIComponent(profile.name)}`)
          .send({ ...(await shown([profile]))[0]!, left_out: leftOut.list() });
      },
    );
  };
}
