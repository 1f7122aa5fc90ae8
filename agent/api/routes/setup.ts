/** From nothing to the first run: sign in, fetch, check, a browser, a test run. What takes long is also told as events. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { drop } from '../../base/drop.ts';
import { messageOf } from '../../base/errors.ts';
import { chooseBrowser, findBrowsers, findFfmpeg, type FoundBrowser } from '../../browser/detect.ts';
import { browserChoice } from '../../config/browser-choice.ts';
import { CHECK_GROUPS, doctor, type Check, type CheckGroup } from '../../config/doctor.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { fetchAndStore, type SetupStep } from '../../config/setup.ts';
import { machineChecks } from '../../setup/machine-checks.ts';
import { SANDBOX_ENVIRONMENT, SANDBOX_WORDS } from '../../setup/own-sandbox.ts';
import { setupByCode } from '../../setup/setup-by-code.ts';
import { findSignIns } from '../../setup/sign-ins.ts';
import { AgentStateStore } from '../../store/agent-state.ts';
import { actorOf } from '../audit.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, ApiError } from '../problem.ts';
import {
  browsersSchema,
  checksSchema,
  fetchBody,
  fetchedSchema,
  installSchema,
  progressSchema,
  setupSchema,
  shownSignIn,
  signInSchema,
  type SetupState,
} from '../setup-shapes.ts';
import { checkDepth, isoTime, level } from '../shapes.ts';

const tags = ['setup'];

const PROGRESS_KEY = 'setup.progress';

/** A wizard's answers; more is something else. */
const MAX_PROGRESS_CHARS = 20_000;

type Install = z.infer<typeof installSchema>;

export function setupRoutes(ports: ApiPorts): FastifyPluginAsyncZod {
  const { config, db, events, log, vault, env } = ports;
  const state = new AgentStateStore(db);
  const oneByOne = serial();
  let install: Install | null = null;

  return async (app) => {
    app.get(
      '/setup',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'getSetup',
          summary: 'How far the setup is',
          tags,
          response: answers({ 200: setupSchema }),
        },
      },
      async () => setupOf(ports, state),
    );

    app.put(
      '/setup/progress',
      {
        config: { scope: 'admin' },
        schema: {
          operationId: 'saveSetupProgress',
          summary: 'Keep what the wizard knows, so that leaving half-way loses nothing',
          tags,
          body: z.strictObject({ progress: z.record(z.string().max(100), z.unknown()) }),
          response: answers({ 200: progressSchema }, 413, 415),
        },
      },
      async ({ body }) => {
        checkDepth(body.progress, '`progress`');
        const text = JSON.stringify(body.progress);
        if (text.length > MAX_PROGRESS_CHARS) {
          const message = `\`progress\` has more than ${MAX_PROGRESS_CHARS} characters.`;
          throw new ApiError(400, 'BrowserAgent.InvalidInput', message);
        }
        state.set(PROGRESS_KEY, JSON.parse(text), ports.clock.now());
        return progressOf(state);
      },
    );

    app.get(
      '/setup/sign-ins',
      {
        config: { scope: 'admin' },
        schema: {
          operationId: 'listSignIns',
          summary: 'Ways to sign in to AWS that this machine has',
          description: 'Never a key. The role of a virtual machine is looked for only with `probe=instance`.',
          tags,
          querystring: z.object({ probe: z.literal('instance').optional() }),
          response: answers({
            200: z.object({
              items: z.array(signInSchema),
              problems: z.array(z.string()).describe('What could not be read.'),
            }),
          }),
        },
      },
      async ({ query }) => {
        const { env: environment } = config.afterRestart().settings.aws;
        const probeInstance = query.probe === 'instance';
        const { items, problems } = await findSignIns({ env, vault, environment, probeInstance });
        return { items: items.map(shownSignIn), problems };
      },
    );

    app.post(
      '/setup/fetch',
      {
        config: { scope: 'admin' },
        schema: {
          operationId: 'fetchSetup',
          summary: 'Fetch the configuration of an environment from AWS, and store it',
          description:
            'Each step is also an event `setup.step`. That it did not work is no problem of the request: `ok` is false, and the steps say what to do. `sandbox` fetches nothing: it makes the agent work on a stand-in for AWS inside itself.',
          tags,
          body: fetchBody,
          response: answers({ 200: fetchedSchema }, 413, 415),
        },
      },
      async (request) => {
        const { environment, sign_in: chosen, region } = request.body;
        const needsName = chosen.kind !== 'sandbox' && chosen.kind !== 'code';
        if (needsName && environment === undefined) {
          const message = 'Name the `environment`: its administrator knows what it is called.';
          throw new ApiError(400, 'BrowserAgent.InvalidInput', message);
        }
        const answer = await oneByOne(async () => {
          const onStep = (step: SetupStep): void => events.emit({ type: 'setup.step', step });
          if (chosen.kind === 'sandbox') return useSandbox(ports, onStep);
          const common = { home: config.home, env, db, vault, onStep };
          if (chosen.kind === 'code') return setupByCode(chosen.code, common);
          return fetchAndStore({
            ...common,
            environment: environment ?? '',
            signIn: chosen,
            ...(region === undefined ? {} : { region }),
          });
        });
        request.auditDetails = { environment: environment ?? null, sign_in: chosen.kind, ok: answer.ok };
        return { ...answer, restart_needed: setupOf(ports, state).restart_needed };
      },
    );

    app.post(
      '/setup/checks',
      {
        config: { scope: 'admin' },
        schema: {
          operationId: 'checkSetup',
          summary: 'Check what the agent needs, with a fix for each failure',
          description:
            'Each result is also an event `setup.check`, as it comes. What is checked is the configuration as it will be after a restart.',
          tags,
          body: z.strictObject({ groups: z.array(z.enum(CHECK_GROUPS)).min(1).max(CHECK_GROUPS.length) }),
          response: answers({ 200: checksSchema }, 413, 415),
        },
      },
      async ({ body }) => {
        const checks = await oneByOne(async () => check(ports, body.groups));
        return { ok: checks.every(({ status }) => status !== 'fail'), checks };
      },
    );

    app.get(
      '/setup/browsers',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'listBrowsers',
          summary: 'Browsers of this machine, and which one runs use',
          tags,
          response: answers({ 200: browsersSchema }),
        },
      },
      async () => browsersOf(ports, install),
    );

    app.post(
      '/setup/browsers/install',
      {
        config: { scope: 'admin' },
        schema: {
          operationId: 'installBrowser',
          summary: 'Fetch a browser for a machine that has none',
          description: 'Takes some 170 MB from the network. Progress comes as events `setup.install`.',
          tags,
          body: z.strictObject({ browser: z.literal('chrome') }),
          response: answers({ 202: installSchema }, 413, 415),
        },
      },
      async (_request, reply) => {
        const tell = (now: Install): void => {
          install = now;
          events.emit({ type: 'setup.install', ...now });
        };
        if (install?.state !== 'running') {
          tell({ state: 'running', percent: 0, words: 'Looking for the newest browser', fix: '' });
          drop(installing(ports, tell), log, 'installing a browser');
        }
        return reply.code(202).send(install!);
      },
    );

    app.post(
      '/setup/test-run',
      {
        config: { scope: 'run' },
        schema: {
          operationId: 'startTestRun',
          summary: 'A short run on the built-in demo portal',
          description:
            'In sandbox mode it is a task of a real execution: poll, run, report and upload are proven together.',
          tags,
          body: z.strictObject({
            script: z.literal('first-run'),
            level: level.optional().describe('Default: as the settings say.'),
          }),
          response: answers({ 201: z.object({ run_id: z.uuid() }) }, 409, 413, 415),
        },
      },
      async (request, reply) => {
        refuseTestRun(ports);
        const { startTestRun } = await import('../../setup/test-run.ts');
        const run_id = await startTestRun({
          ...ports,
          by: actorOf(request),
          ...(request.body.level === undefined ? {} : { level: request.body.level }),
        }).catch((thrown: unknown) => {
          throw new ApiError(409, 'BrowserAgent.Conflict', messageOf(thrown));
        });
        return reply.code(201).header('location', `/api/v1/runs/${run_id}`).send({ run_id });
      },
    );
  };
}

function setupOf(ports: ApiPorts, state: AgentStateStore): SetupState {
  const { config, sandbox, worker, aws } = ports;
  const after = config.afterRestart();
  const now = shape(config, sandbox !== null);
  const next = after.settings.sandbox.enabled
    ? { ...(sandbox ? now : shapeOfSandbox()) }
    : shape(after, false);
  return {
    ...now,
    identity: aws.identity,
    worker_state: worker?.status().state ?? 'none',
    note: sandbox ? SANDBOX_WORDS : null,
    next,
    restart_needed: JSON.stringify(now) !== JSON.stringify(next),
    ...progressOf(state),
  };
}

type Shape = SetupState['next'];

function shape({ settings }: LoadedConfig, isSandbox: boolean): Shape {
  const { env, region, activity_arn, s3_bucket } = settings.aws;
  return {
    configured: activity_arn !== null && s3_bucket !== null,
    mode: isSandbox ? 'sandbox' : activity_arn === null ? 'none' : 'aws',
    environment: env,
    region,
    activity_arn,
    bucket: s3_bucket,
  };
}

/** Before it has begun. */
function shapeOfSandbox(): Shape {
  return {
    configured: true,
    mode: 'sandbox',
    environment: SANDBOX_ENVIRONMENT,
    region: null,
    activity_arn: null,
    bucket: null,
  };
}

function progressOf(state: AgentStateStore): z.infer<typeof progressSchema> {
  const kept = state.get(PROGRESS_KEY, z.record(z.string(), z.unknown()));
  return { progress: kept?.value ?? {}, saved_at: isoTime(kept?.updatedAt ?? null) };
}

function useSandbox(
  { config }: ApiPorts,
  onStep: (step: SetupStep) => void,
): { ok: boolean; steps: SetupStep[]; values: [] } {
  config.change({ changes: { 'sandbox.enabled': true }, isOwner: true });
  const step: SetupStep = { title: 'Without AWS', status: 'ok', detail: SANDBOX_WORDS, fix: '' };
  onStep(step);
  return { ok: true, steps: [step], values: [] };
}

async function check(ports: ApiPorts, groups: readonly CheckGroup[]): Promise<Check[]> {
  const { config, sandbox, events, vault, env, db, clock, aws } = ports;
  const after = config.afterRestart();
  const isSandbox = sandbox !== null && after.settings.sandbox.enabled;
  return doctor({
    config: isSandbox ? config : after,
    env,
    vault,
    db,
    clock,
    groups,
    ...(isSandbox ? { working: aws } : {}),
    extra: machineChecks(after.settings),
    onCheck: (result) => events.emit({ type: 'setup.check', check: result }),
  });
}

async function browsersOf(
  { config }: ApiPorts,
  install: Install | null,
): Promise<z.infer<typeof browsersSchema>> {
  const found = await findBrowsers();
  const rest = { items: found.map(shownBrowser), ffmpeg: findFfmpeg(), install };
  try {
    const chosen = await chooseBrowser(browserChoice(config.afterRestart().settings.browser));
    const known = found.find((each) => each.executablePath === chosen.executablePath);
    return { ...rest, chosen: shownBrowser(known ?? chosen), problem: null };
  } catch (thrown) {
    return { ...rest, chosen: null, problem: messageOf(thrown) };
  }
}

function shownBrowser({ executablePath, ...found }: FoundBrowser) {
  return { ...found, path: executablePath };
}

async function installing({ config }: ApiPorts, tell: (now: Install) => void): Promise<void> {
  const { download_url: baseUrl } = config.afterRestart().settings.browser;
  try {
    const { installBrowser } = await import('../../browser/install.ts');
    const { version } = await installBrowser({
      ...(baseUrl === null ? {} : { baseUrl: baseUrl.replace(/\/$/, '') }),
      onProgress: ({ percent, words }) => {
        if (percent < 100) tell({ state: 'running', percent, words, fix: '' });
      },
    });
    tell({ state: 'done', percent: 100, words: `Chrome ${version} is installed.`, fix: '' });
  } catch (thrown) {
    tell({
      state: 'failed',
      percent: null,
      words: messageOf(thrown),
      fix: 'Install Google Chrome or Microsoft Edge as every other program, or, in a closed network, set browser.download_url to a mirror. Then look again.',
    });
  }
}

function refuseTestRun({ worker, engine, config, sandbox }: ApiPorts): void {
  const refuse = (message: string): never => {
    throw new ApiError(409, 'BrowserAgent.Conflict', message);
  };
  const now = worker?.status();
  if (now && ['draining', 'stopping', 'stopped'].includes(now.state)) {
    refuse('The agent is ending and begins no new runs.');
  }
  if (sandbox && now?.state === 'paused') {
    refuse('The agent is paused and takes no tasks. Let it go on, then try again.');
  }
  if (engine.detached >= config.settings.api.max_runs) {
    refuse('As many runs as are allowed are at work already. Try again when one has ended.');
  }
}

/** One piece of work at a time: two fetches would write over each other. */
function serial(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return async (work) => {
    const mine = last.then(work, work);
    last = mine.catch(() => undefined);
    return mine;
  };
}
