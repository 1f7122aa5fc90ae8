/** Settings, each with its source and with when a change of it counts. Credentials among them are never shown. */
import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { SettingsChanged, WrongSettings, type LiveSetting } from '../../config/live.ts';
import { enumOf, jsonTypeOf, rangeOf, settingDefinition } from '../../config/definitions.ts';
import { APPLIES } from '../../config/settings/group.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, ApiError } from '../problem.ts';

const tags = ['settings'];

/** More settings than there are. */
const MAX_CHANGES = 200;

const settingSchema = z
  .object({
    key: z.string().describe('e.g. `recording.max_level`.'),
    value: z.unknown().describe('As configured now; a credential is masked.'),
    source: z.string().describe('Where the value comes from, e.g. `settings.yaml:12`.'),
    applies: z
      .enum(APPLIES)
      .describe('When a change of it counts: `now`, for runs that start after it, or after a restart.'),
    pending_restart: z
      .boolean()
      .describe('The agent still works with an earlier value, until it is started again.'),
    doc: z.string().describe('What it is for.'),
    type: z.enum(['boolean', 'integer', 'number', 'string', 'array', 'object']),
    allowed: z.string().describe('What may be set, in words.'),
    options: z.array(z.string()).nullable().describe('The words it allows, when it allows only some.'),
    minimum: z.number().nullable(),
    maximum: z.number().nullable(),
    nullable: z.boolean().describe('It may be left unset.'),
    default: z.unknown(),
    environment: z.array(z.string()).describe('Variables that set it and are stronger, strongest first.'),
    read_only: z
      .enum(['environment', 'owner'])
      .nullable()
      .describe('Only the environment can set it, or only the owner of this machine; null: it can be set.'),
    secret: z.boolean().describe('Its value is never shown.'),
  })
  .meta({ id: 'Setting' });

const changedSchema = settingSchema
  .extend({
    overridden: z
      .boolean()
      .describe(
        'What was asked for is in settings.yaml, but `source` is stronger: `value` is what it says, until that is gone.',
      ),
  })
  .meta({ id: 'ChangedSetting' });

const changesSchema = z
  .record(z.string().min(1).max(100), z.unknown())
  .refine((changes) => Object.keys(changes).length > 0, 'no setting is named')
  .refine((changes) => Object.keys(changes).length <= MAX_CHANGES, `more than ${MAX_CHANGES} settings`)
  .describe('New values by key, e.g. `{"recording.default_level": "DEBUG"}`; null: back to the default.');

export function settingRoutes({ config }: ApiPorts): FastifyPluginAsyncZod {
  /** The list as it is sent, made once for each state of the settings. */
  const texts = new WeakMap<object, string>();
  return async (app) => {
    app.get(
      '/settings',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'listSettings',
          summary: 'Every setting with its source',
          description: 'The answer’s `ETag` names the state of settings.yaml, for `If-Match`.',
          tags,
          response: answers({ 200: z.object({ items: z.array(settingSchema) }) }),
        },
      },
      async (_request, reply) => {
        const explained = config.explain();
        let text = texts.get(explained);
        if (text === undefined) {
          text = JSON.stringify({ items: explained.map(shown) });
          texts.set(explained, text);
        }
        const answer = reply.header('etag', `"${config.tag()}"`) as FastifyReply;
        return answer.type('application/json; charset=utf-8').send(text);
      },
    );

    app.get(
      '/settings/:key',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'getSetting',
          summary: 'One setting',
          tags,
          params: z.object({ key: z.string().min(1).max(100) }),
          response: answers({ 200: settingSchema }, 404),
        },
      },
      async ({ params }, reply) => {
        const setting = config.explain().find(({ key }) => key === params.key);
        if (setting) return reply.header('etag', `"${config.tag()}"`).send(shown(setting));
        throw new ApiError(
          404,
          'BrowserAgent.NotFound',
          `There is no setting ${JSON.stringify(params.key)}.`,
        );
      },
    );

    app.patch(
      '/settings',
      {
        config: { scope: 'admin' },
        schema: {
          operationId: 'updateSettings',
          summary: 'Change settings: all that are named, or none',
          description:
            'Written to settings.yaml, whose comments stay. A value is read as the command line reads it. `If-Match` with the `ETag` of a list: only when nobody has changed the file since. Settings that decide which program runs or which files are read are the owner’s alone.',
          tags,
          headers: z.object({ 'if-match': z.string().max(200).optional() }),
          body: changesSchema,
          response: answers({ 200: z.object({ items: z.array(changedSchema) }) }, 412, 413, 415),
        },
      },
      async (request, reply) => {
        const changes = request.body;
        const ifTag = tagOf(request.headers['if-match']);
        const isOwner = request.caller?.row === null;
        try {
          request.auditDetails = config.change({
            changes,
            isOwner,
            ...(ifTag === undefined ? {} : { ifTag }),
          });
        } catch (thrown) {
          throw asApiError(thrown);
        }
        const items = config
          .explain()
          .filter(({ key }) => Object.hasOwn(changes, key))
          .map((setting) => ({
            ...shown(setting),
            overridden: /^(command line|environment |the built-in sandbox)/.test(setting.source),
          }));
        return reply.header('etag', `"${config.tag()}"`).send({ items });
      },
    );
  };
}

function shown({ pendingRestart, ...setting }: LiveSetting): z.infer<typeof settingSchema> {
  return { ...setting, pending_restart: pendingRestart, ...described(setting.key) };
}

type Described = Omit<
  z.infer<typeof settingSchema>,
  'key' | 'value' | 'source' | 'applies' | 'pending_restart'
>;

/** The same for as long as the program runs: made once for each. */
const descriptions = new Map<string, Described>();

function described(key: string): Described {
  const known = descriptions.get(key);
  if (known) return known;
  const definition = settingDefinition(key);
  if (!definition) throw new Error(`there is no setting ${key}`);
  const { meta, allowed, env, schema } = definition;
  const { minimum, maximum } = rangeOf(schema);
  const made: Described = {
    doc: meta.doc,
    type: jsonTypeOf(schema) as Described['type'],
    allowed,
    options: [...(enumOf(schema) ?? [])],
    minimum,
    maximum,
    nullable: schema.safeParse(null).success,
    default: definition.default,
    environment: env,
    read_only: meta.envOnly === true ? 'environment' : meta.ownerOnly === true ? 'owner' : null,
    secret: meta.secret === true,
  };
  if (made.options?.length === 0) made.options = null;
  descriptions.set(key, made);
  return made;
}

/** `*` and a header that is not there: in any case. */
function tagOf(header: string | undefined): string | undefined {
  if (header === undefined || header.trim() === '*') return undefined;
  return header.trim().replace(/^W\//, '').replaceAll('"', '');
}

function asApiError(thrown: unknown): unknown {
  if (thrown instanceof SettingsChanged) return new ApiError(412, 'BrowserAgent.Conflict', thrown.message);
  if (!(thrown instanceof WrongSettings)) return thrown;
  return new ApiError(400, 'BrowserAgent.InvalidInput', 'Nothing was changed: some settings are wrong.', {
    hint: 'docs/configuration.md and GET /settings list what there is.',
    problems: thrown.problems.map(({ key, message, suggestion }) => ({
      path: `$[${JSON.stringify(key)}]`,
      message,
      ...(suggestion === undefined ? {} : { suggestion }),
    })),
  });
}
