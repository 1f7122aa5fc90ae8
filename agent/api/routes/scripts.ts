/** Scripts stored on this machine, and the parser's word on any script. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { invalidScript } from '../../runs/prepare.ts';
import { ScriptLibrary, type StoredScript } from '../../runs/script-library.ts';
import { scriptFacts } from '../../runs/script-facts.ts';
import { parseScript } from '../../script/parse.ts';
import { actorOf } from '../audit.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, ApiError } from '../problem.ts';
import { checkDepth, isoTime, time } from '../shapes.ts';
import { storeVersion } from './script-versions.ts';

const tags = ['scripts'];

const storedSchema = z
  .object({
    reference: z.string().describe('`name` or `name@version`: how runs and other scripts name it.'),
    name: z.string(),
    version: z.string().nullable(),
    title: z.string().nullable().describe('As the script names itself; null where it cannot be read.'),
    description: z.string().nullable(),
    steps: z.int().nullable().describe('Those inside others not counted.'),
    profile: z.string().nullable().describe('The profile that it names.'),
    variables: z.array(z.string()).describe('That it declares.'),
    updated_at: time,
  })
  .meta({ id: 'StoredScript' });

const problemSchema = z.object({
  severity: z.enum(['error', 'warning']),
  path: z.string().describe('JSON path into the script, e.g. `$.steps[2].action`.'),
  line: z.int().optional().describe('One-based; when the script came as text.'),
  column: z.int().optional(),
  message: z.string(),
  suggestion: z.string().optional().describe('What was probably meant.'),
});

const script = z.record(z.string(), z.unknown()).describe('A script as docs/script-format.md says.');
const params = z.object({
  reference: z.string().min(1).max(200).describe('`name` or `name@version`.'),
});

export function scriptRoutes(ports: ApiPorts): FastifyPluginAsyncZod {
  const library = new ScriptLibrary(ports.paths.scripts);
  return async (app) => {
    app.get(
      '/scripts',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'listScripts',
          summary: 'List stored scripts',
          tags,
          response: answers({ 200: z.object({ items: z.array(storedSchema) }) }),
        },
      },
      async () => ({ items: library.list().flatMap((stored) => shown(library, stored) ?? []) }),
    );

    app.post(
      '/scripts/validate',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'validateScript',
          summary: 'Every problem of a script',
          description: 'Sent as text, problems come with line and column.',
          tags,
          body: z.strictObject({ script: z.union([z.string(), z.record(z.string(), z.unknown())]) }),
          response: answers(
            { 200: z.object({ valid: z.boolean(), problems: z.array(problemSchema) }) },
            413,
            415,
          ),
        },
      },
      async ({ body }) => {
        checkDepth(typeof body.script === 'string' ? readIfJson(body.script) : body.script, 'The script');
        const parsed = parseScript(body.script);
        return { valid: parsed.ok, problems: parsed.ok ? parsed.warnings : parsed.problems };
      },
    );

    app.get(
      '/scripts/:reference',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'getScript',
          summary: 'A stored script',
          tags,
          params,
          response: answers({ 200: script }, 404, 422),
        },
      },
      async ({ params: { reference } }) => {
        if (!library.has(reference)) throw noScript(reference);
        const value = readIfJson(library.read(reference));
        if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
          return value as Record<string, unknown>;
        }
        throw new ApiError(422, 'BrowserAgent.InvalidScript', 'The stored file is not a JSON object.');
      },
    );

    app.put(
      '/scripts/:reference',
      {
        config: { scope: 'operate' },
        schema: {
          operationId: 'putScript',
          summary: 'Store a script, or replace one',
          tags,
          params,
          body: script,
          response: answers({ 200: storedSchema, 201: storedSchema }, 413, 415, 422),
        },
      },
      async (request, reply) => {
        const { reference } = request.params;
        checkDepth(request.body, 'The script');
        const parsed = parseScript(request.body);
        if (!parsed.ok) throw invalidScript(parsed.problems);
        if (RESERVED.has(reference)) throw reserved(reference);
        const text = `${JSON.stringify(request.body, null, 2)}\n`;
        const isNew = storeVersion(ports, library, { reference, text, by: actorOf(request) });
        const stored = library.list().find((each) => referenceOf(each) === reference);
        const answer = stored && shown(library, stored);
        if (!answer) throw noScript(reference);
        return reply.code(isNew ? 201 : 200).send(answer);
      },
    );

    app.delete(
      '/scripts/:reference',
      {
        config: { scope: 'operate' },
        schema: {
          operationId: 'deleteScript',
          summary: 'Remove a stored script',
          tags,
          params,
          response: answers({ 204: z.undefined().describe('It is gone.') }, 404, 413, 415),
        },
      },
      async (request, reply) => {
        const { reference } = request.params;
        if (!library.remove(reference)) throw noScript(reference);
        return reply.code(204).send();
      },
    );
  };
}

function referenceOf({ name, version }: StoredScript): string {
  return version === null ? name : `${name}@${version}`;
}

/** Null: the file is gone. */
function shown(library: ScriptLibrary, stored: StoredScript): z.infer<typeof storedSchema> | null {
  const facts = scriptFacts(library, stored);
  if (!facts) return null;
  const { name, version } = stored;
  const { updatedAt, title, description, steps, profile, variables } = facts;
  return {
    reference: referenceOf(stored),
    name,
    version,
    title,
    description,
    steps,
    profile,
    variables,
    updated_at: isoTime(updatedAt),
  };
}

/** Names that mean something else in addresses of this API. */
const RESERVED: ReadonlySet<string> = new Set(['schema']);

function reserved(reference: string): ApiError {
  return new ApiError(
    400,
    'BrowserAgent.InvalidInput',
    `"${reference}" cannot be the name of a script here. Choose another one.`,
  );
}

function noScript(reference: string): ApiError {
  return new ApiError(
    404,
    'BrowserAgent.NotFound',
    `There is no stored script ${JSON.stringify(reference)}.`,
  );
}

/** The value of a JSON text; null for what is none, about which the parser says more. */
function readIfJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
