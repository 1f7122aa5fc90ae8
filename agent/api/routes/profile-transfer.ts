/** Profiles as encrypted files, to be taken to another machine. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { drop } from '../../base/drop.ts';
import { exportProfile, importProfile } from '../../browser/profile-transfer.ts';
import { parsingStreams } from '../streams.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, ApiError } from '../problem.ts';
import { name, params, profileSchema, profilesShown } from '../profile-shapes.ts';

const tags = ['profiles'];

/** Longer ones are easier to remember than to guess. */
const passphrase = z.string().min(8).max(1_000);

/** Beside a body that is bytes: UTF-8 as base64, because a header holds ASCII alone. */
const PASSPHRASE_HEADER = 'lba-passphrase';

export function profileTransferRoutes(ports: ApiPorts): FastifyPluginAsyncZod {
  const shown = profilesShown(ports);
  return async (app) => {
    parsingStreams(app);

    app.post(
      '/profiles/:name/export',
      {
        config: { scope: 'operate' },
        schema: {
          operationId: 'exportProfile',
          summary: 'A profile with all that is signed in to in it, as an encrypted file',
          description:
            'Whoever has the file and the passphrase is signed in like its owner. docs/profile-files.md has the format.',
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
        const { path, remove } = await exportProfile(ports, profile, body.passphrase);
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
        config: { scope: 'operate' },
        schema: {
          operationId: 'importProfile',
          summary: 'Make a profile of an exported file',
          description: `The body is the file, as \`application/octet-stream\`; the header \`${PASSPHRASE_HEADER}\` is the passphrase, UTF-8 as base64.`,
          tags,
          querystring: z.object({ name: name.describe('Of the new profile.') }),
          response: answers({ 201: profileSchema }, 413, 415),
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
        const profile = await importProfile(ports, query.name, body, told.data);
        return reply
          .code(201)
          .header('location', `/api/v1/profiles/${encodeURIComponent(profile.name)}`)
          .send((await shown([profile]))[0]!);
      },
    );
  };
}
