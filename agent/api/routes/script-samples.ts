/** Scripts to begin with: the samples that come with the program, as they are written. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { resourceFolder } from '../../base/resources.ts';
import { answers } from '../problem.ts';

/** They show what other programs' scripts look like here, or end with an error on purpose. */
const NOT_TO_BEGIN_WITH = new Set([
  'earlier-linear',
  'earlier-workflow',
  'model-step',
  'with-a-stored-script',
]);

const sampleSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string(),
    steps: z.int().describe('How many steps it has, those inside others not counted.'),
    text: z.string().describe('The script as it is written, with its line breaks.'),
  })
  .meta({ id: 'ScriptSample' });

/** As far as the samples, which a test holds to the format, are looked into here. */
const writtenSchema = z.object({
  name: z.string(),
  description: z.string().default(''),
  steps: z.array(z.unknown()),
});

export function scriptSampleRoutes(): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/script-samples',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'listScriptSamples',
          summary: 'Scripts to begin with',
          tags: ['scripts'],
          response: answers({ 200: z.object({ items: z.array(sampleSchema) }) }),
        },
      },
      async () => ({ items: readSamples() }),
    );
  };
}

function readSamples(): z.infer<typeof sampleSchema>[] {
  const folder = resourceFolder('samples');
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .filter((id) => !NOT_TO_BEGIN_WITH.has(id))
    .toSorted()
    .map((id) => {
      // The editor checks scripts by itself; the line names a file that is not beside a stored script.
      const text = readFileSync(join(folder, `${id}.json`), 'utf8').replace(/^ *"\$schema":.*\n/m, '');
      const { name, description, steps } = writtenSchema.parse(JSON.parse(text));
      return { id, name, description, steps: steps.length, text };
    });
}
