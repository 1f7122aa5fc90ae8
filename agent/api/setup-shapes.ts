/** Shapes of the setup in the API. */
import { z } from 'zod';
import { PROFILE_SOURCES, SIGN_IN_KINDS, type FoundSignIn } from '../setup/sign-ins.ts';
import { time } from './shapes.ts';

const configuration = {
  configured: z.boolean().describe('Activity and bucket are known.'),
  mode: z
    .enum(['aws', 'sandbox', 'none'])
    .describe('Works on AWS, on the stand-in inside the agent, or takes no tasks.'),
  environment: z.string(),
  region: z.string().nullable(),
  activity_arn: z.string().nullable(),
  bucket: z.string().nullable(),
};

export const progressSchema = z.object({
  progress: z.record(z.string(), z.unknown()).describe('As the wizard saved it; empty when it never did.'),
  saved_at: time.nullable(),
});

export const setupSchema = z
  .object({
    ...configuration,
    identity: z.string().describe('Where the AWS identity comes from, in words.'),
    worker_state: z.string().describe('As `state` of the agent.'),
    note: z.string().nullable().describe('What a person should know of this mode.'),
    next: z
      .object(configuration)
      .describe('As it will be after a restart: after fetching, this is what was fetched.'),
    restart_needed: z.boolean().describe('`next` is not what the agent works with now.'),
    ...progressSchema.shape,
  })
  .meta({ id: 'Setup' });

export type SetupState = z.infer<typeof setupSchema>;

export const signInSchema = z
  .object({
    kind: z.enum(SIGN_IN_KINDS),
    name: z.string().nullable().describe('Of the profile.'),
    source: z.enum(PROFILE_SOURCES).nullable().describe('How a profile gets its keys.'),
    region: z.string().nullable(),
    sso_session: z.string().nullable(),
    words: z.string().describe('For a person.'),
    usable: z.boolean().describe('As far as one can tell without asking AWS.'),
    fix: z.string().describe('What to do first, or when it fails; else empty.'),
  })
  .meta({ id: 'AwsSignIn' });

export function shownSignIn({ ssoSession, ...found }: FoundSignIn): z.infer<typeof signInSchema> {
  return { ...found, sso_session: ssoSession };
}

const status = z.enum(['ok', 'warn', 'fail', 'skip']);
const step = {
  title: z.string(),
  status,
  detail: z.string(),
  fix: z.string().describe('What to do; empty when nothing is.'),
};

export const fetchBody = z.strictObject({
  environment: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/)
    .optional()
    .describe(
      'Name of the environment, as the administrator gave it. A setup code knows it, the sandbox has its own.',
    ),
  sign_in: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('profile'), profile: z.string().min(1).max(200) }),
    z.strictObject({ kind: z.literal('environment') }),
    z.strictObject({ kind: z.literal('instance') }),
    z.strictObject({ kind: z.literal('sandbox') }),
    z.strictObject({
      kind: z.literal('code'),
      code: z.string().trim().min(1).max(2_000).describe('A setup code; good once.'),
    }),
  ]),
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/)
    .optional(),
});

export const fetchedSchema = z
  .object({
    ok: z.boolean(),
    steps: z.array(z.object(step)),
    values: z
      .array(z.object({ key: z.string(), value: z.string(), source: z.string() }))
      .describe('What was found, and where. Keys are never shown.'),
    restart_needed: z.boolean().describe('`POST /agent/restart` takes it up.'),
  })
  .meta({ id: 'FetchedSetup' });

export const checksSchema = z
  .object({ ok: z.boolean(), checks: z.array(z.object({ id: z.string(), ...step })) })
  .meta({ id: 'SetupChecks' });

const browser = z.object({
  name: z.string(),
  channel: z.string().nullable(),
  path: z.string(),
  version: z.string().nullable(),
  source: z.string().describe('`installed`, `playwright`, `fetched`, `system` or `configured`.'),
});

export const installSchema = z
  .object({
    state: z.enum(['running', 'done', 'failed']),
    percent: z.int().min(0).max(100).nullable(),
    words: z.string(),
    fix: z.string(),
  })
  .meta({ id: 'BrowserInstall' });

export const browsersSchema = z
  .object({
    items: z.array(browser),
    chosen: browser.nullable().describe('The one that runs use. Its version only where it is in `items`.'),
    problem: z.string().nullable().describe('Why none can be used, and what to do.'),
    ffmpeg: z.string().nullable().describe('Null: runs have no video.'),
    install: installSchema.nullable().describe('Of this start of the agent.'),
  })
  .meta({ id: 'Browsers' });
