/** What cannot go on without a person, in words, and where to go for it. Most urgent first. */
import { z } from 'zod';
import { SummaryStore } from '../store/summary.ts';
import { kept } from '../base/kept.ts';
import { SERVICES } from '../base/services.ts';
import type { ApiPorts } from './ports.ts';
import { browser, disk } from './routes/system.ts';

export const NEEDS = [
  'setup',
  'human_step',
  'sign_in',
  'run_paused',
  'worker',
  'browser',
  'disk',
  'service',
  'uploads',
] as const;

export const needSchema = z
  .object({
    kind: z.enum(NEEDS),
    title: z.string().describe('For a person, in a few words.'),
    detail: z.string().describe('What happened, and what to do.'),
    go_to: z
      .enum(['setup', 'run', 'profile', 'uploads', 'settings', 'log', 'home'])
      .describe('The screen that helps; `id` names run or profile on it.'),
    id: z.string().nullable(),
  })
  .meta({ id: 'Need' });

export type Need = z.infer<typeof needSchema>;

/** What hardly changes is looked at this often, in milliseconds; it costs more than all the rest. */
const FRESH_MS = 5_000;
/** A sign-in that was missed longer ago shows itself again with the next run, in milliseconds. */
const SIGN_IN_MS = 7 * 86_400_000;
/** More of one kind are not read by anybody. */
const MAX_OF_A_KIND = 20;

/** @returns a function that says what needs a person now */
export function needsOf(ports: ApiPorts): () => Promise<Need[]> {
  const browserNow = kept(async () => browser(ports), FRESH_MS, ports.clock);
  const diskNow = kept(async () => disk(ports), FRESH_MS, ports.clock);
  return async () => [
    ...setup(ports),
    ...people(ports),
    ...signIns(ports),
    ...paused(ports),
    ...worker(ports),
    ...machine(await browserNow(), await diskNow()),
    ...services(ports),
    ...uploads(ports),
  ];
}

function setup({ config }: ApiPorts): Need[] {
  if (config.settings.aws.activity_arn !== null) return [];
  return [
    {
      kind: 'setup',
      title: 'Not set up yet',
      detail: 'No tasks are taken, because no environment is chosen. Setup takes about a minute.',
      go_to: 'setup',
      id: null,
    },
  ];
}

function people({ humans, runs }: ApiPorts): Need[] {
  return humans.pending().map(({ runId, stepNumber, message }) => {
    const name = runs.get(runId)?.script_name ?? 'A run';
    const isSignIn = stepNumber === 0;
    return {
      kind: isSignIn ? ('sign_in' as const) : ('human_step' as const),
      title: isSignIn ? `Sign in for “${name}”` : `“${name}” waits for you`,
      detail: message,
      go_to: 'run' as const,
      id: runId,
    };
  });
}

function signIns({ db, clock }: ApiPorts): Need[] {
  return new SummaryStore(db)
    .signInsWanted(clock.now() - SIGN_IN_MS)
    .slice(0, MAX_OF_A_KIND)
    .map(({ profile }) => ({
      kind: 'sign_in' as const,
      title: `Sign in again in profile “${profile}”`,
      detail: 'Its last run ended because nobody was signed in. Sign in once; the next run uses it.',
      go_to: 'profile' as const,
      id: profile,
    }));
}

function paused({ runs }: ApiPorts): Need[] {
  return runs
    .list({ state: 'running', limit: MAX_OF_A_KIND })
    .filter((run) => run.paused?.isStanding === true)
    .map((run) => ({
      kind: 'run_paused' as const,
      title: `“${run.script_name}” stands still`,
      detail:
        run.paused?.kind === 'takeover'
          ? 'A person has taken it over. It goes on when they give it back.'
          : 'It was paused. Resume it, or cancel it.',
      go_to: 'run' as const,
      id: run.run_id,
    }));
}

function worker({ worker }: ApiPorts): Need[] {
  const now = worker?.status();
  if (now?.state !== 'stopped') return [];
  return [
    {
      kind: 'worker',
      title: 'No tasks are taken any more',
      detail: `${now.detail || 'The worker has stopped.'} Restart the agent when that is mended.`,
      go_to: 'log',
      id: null,
    },
  ];
}

function machine(browser: { ok: boolean; detail: string }, disk: { ok: boolean; detail: string }): Need[] {
  const needs: Need[] = [];
  if (!browser.ok) {
    const title = 'No browser was found';
    needs.push({ kind: 'browser', title, detail: browser.detail, go_to: 'setup', id: null });
  }
  if (!disk.ok) {
    needs.push({
      kind: 'disk',
      title: 'The disk is almost full',
      detail: `${disk.detail}. Make room, or keep fewer past runs.`,
      go_to: 'settings',
      id: null,
    });
  }
  return needs;
}

function services({ resilience }: ApiPorts): Need[] {
  return resilience
    .health()
    .filter(({ state }) => state === 'open')
    .map(({ service, lastError }) => ({
      kind: 'service' as const,
      title: `${SERVICES[service].name} does not answer`,
      detail: `The agent ${SERVICES[service].use}. It keeps trying, and nothing is lost. Last error: ${lastError ?? 'unknown'}`,
      go_to: 'settings' as const,
      id: null,
    }));
}

function uploads({ uploads }: ApiPorts): Need[] {
  const { failed, held } = uploads.status();
  const needs: Need[] = held.slice(0, MAX_OF_A_KIND).map(({ bucket, message }) => ({
    kind: 'uploads',
    title: `Uploads to ${bucket} wait`,
    detail: `${message}. They go on by themselves when that is mended.`,
    go_to: 'uploads',
    id: null,
  }));
  if (failed > 0) {
    needs.push({
      kind: 'uploads',
      title: failed === 1 ? 'One upload failed' : `${failed} uploads failed`,
      detail: 'They are kept here, and are not tried again by themselves. See why, and try again.',
      go_to: 'uploads',
      id: null,
    });
  }
  return needs;
}
