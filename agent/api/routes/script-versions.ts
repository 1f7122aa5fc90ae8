/** What stored scripts were before they were changed; and the schema that editors check scripts with. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Actor } from '../../base/actor.ts';
import { readJsonFile } from '../../base/json.ts';
import { resourceFolder } from '../../base/resources.ts';
import { ScriptLibrary } from '../../runs/script-library.ts';
import { ScriptVersionStore, type ScriptVersionRow } from '../../store/script-versions.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, ApiError } from '../problem.ts';
import { isoTime, time } from '../shapes.ts';

const tags = ['scripts'];

const params = z.object({
  reference: z.string().min(1).max(200).describe('`name` or `name@version`.'),
});

const versionSchema = z
  .object({
    version_id: z.int(),
    saved_at: time,
    by: z
      .object({ kind: z.string(), id: z.string() })
      .nullable()
      .describe('Who stored it; null: the file itself was changed.'),
    sha256: z.string(),
    size_bytes: z.int(),
    current: z.boolean().describe('This is what is stored now.'),
  })
  .meta({ id: 'ScriptVersion' });

export function scriptVersionRoutes(ports: ApiPorts): FastifyPluginAsyncZod {
  const library = new ScriptLibrary(ports.paths.scripts);
  const store = new ScriptVersionStore(ports.db);
  return async (app) => {
    app.get(
      '/scripts/schema',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'getScriptSchema',
          summary: 'The JSON Schema of scripts, for editors',
          tags,
          response: answers({ 200: z.record(z.string(), z.unknown()) }),
        },
      },
      async () =>
        readJsonFile(join(resourceFolder('schema'), 'script.schema.json'), z.record(z.string(), z.unknown())),
    );

    app.get(
      '/scripts/:reference/versions',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'listScriptVersions',
          summary: 'What a stored script is and was, newest first',
          description: 'The last 100 texts, also of a script that was removed.',
          tags,
          params,
          response: answers({ 200: z.object({ items: z.array(versionSchema) }) }, 404),
        },
      },
      async ({ params: { reference } }) => {
        noteFile(library, store, reference, ports.clock.now());
        const rows = store.list(reference);
        if (rows.length === 0) throw noVersion(reference);
        const isStored = library.has(reference);
        return { items: rows.map((row, index) => shown(row, isStored && index === 0)) };
      },
    );

    app.get(
      '/scripts/:reference/versions/:version_id',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'getScriptVersion',
          summary: 'One text of a stored script',
          tags,
          params: params.extend({
            version_id: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER),
          }),
          response: answers({ 200: versionSchema.extend({ text: z.string() }) }, 404),
        },
      },
      async ({ params: { reference, version_id } }) => {
        const row = store.get(reference, version_id);
        if (!row) throw noVersion(reference);
        const isNewest = store.list(reference)[0]?.version_id === version_id;
        return { ...shown(row, isNewest && library.has(reference)), text: row.text };
      },
    );
  };
}

/** Stores a script and keeps what it was. @returns whether it is new */
export function storeVersion(
  ports: ApiPorts,
  library: ScriptLibrary,
  stored: { reference: string; text: string; by: Actor },
): boolean {
  const store = new ScriptVersionStore(ports.db);
  const now = ports.clock.now();
  noteFile(library, store, stored.reference, now);
  const isNew = library.write(stored.reference, stored.text);
  store.add(stored.reference, stored.text, stored.by, now);
  return isNew;
}

/** A file that somebody put there or changed is a version, too. */
function noteFile(library: ScriptLibrary, store: ScriptVersionStore, reference: string, now: number): void {
  if (!library.has(reference)) return;
  const file = library.list().find((script) => {
    const own = script.version === null ? script.name : `${script.name}@${script.version}`;
    return own === reference;
  })?.file;
  const changed = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  store.add(reference, library.read(reference), null, Math.round(changed ?? now));
}

function shown(row: ScriptVersionRow, current: boolean): z.infer<typeof versionSchema> {
  return {
    version_id: row.version_id,
    saved_at: isoTime(row.saved_at),
    by: row.by_kind === null ? null : { kind: row.by_kind, id: row.by_id ?? '' },
    sha256: row.sha256,
    size_bytes: Buffer.byteLength(row.text),
    current,
  };
}

function noVersion(reference: string): ApiError {
  return new ApiError(
    404,
    'BrowserAgent.NotFound',
    `There is no such version of a script ${JSON.stringify(reference)}.`,
  );
}
