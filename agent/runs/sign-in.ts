/** `requires_human_login`, `wait_for_human_login` and `post_login_verification` of a script's session. */
import { AgentError } from '../base/errors.ts';
import type { JsonObject } from '../base/words.ts';
import { holds } from '../script/holds.ts';
import type { Script } from '../script/schema.ts';
import { scopeOf } from '../script/scope.ts';
import { asText, resolveTemplates } from '../script/variables.ts';
import type { HumanDesk } from './human-desk.ts';
import type { RunPorts } from './ports.ts';

/** How long a person has to sign in when the script asks for it and names no time. */
const SIGN_IN_TIMEOUT_MS = 15 * 60_000;

export interface SignInOptions {
  runId: string;
  script: Script;
  /** As the task gave them. */
  variables: JsonObject;
  profile: string | null;
  ports: RunPorts;
  humans: HumanDesk;
  signal: AbortSignal;
}

/**
 * Opens the starting page and, unless the profile is signed in there, asks the person. A script whose
 * session asks for nothing is left alone.
 *
 * @throws AgentError BrowserAgent.LoginRequired when `post_login_verification` does not hold in the end
 */
export async function signIn(options: SignInOptions): Promise<void> {
  const { script, ports, signal } = options;
  const session = script.session;
  if (!session?.wait_for_human_login && !session?.requires_human_login) return;
  const scope = await scopeOf(script, options.variables, ports);
  const verification = session.post_login_verification;
  const errors: string[] = [];
  const isSignedIn = async (stop: AbortSignal): Promise<boolean> => {
    errors.length = 0;
    if (!verification) return false;
    return holds(verification, {
      scope,
      signal: stop,
      errors,
      evaluate: (condition, stopped) => ports.evaluate(condition, stopped),
    });
  };

  if (script.starting_page !== undefined)
    await ports.open(asText(await resolveTemplates(script.starting_page, scope)), signal);
  if (await isSignedIn(signal)) return;
  if (!session.wait_for_human_login && !verification) return;
  await ports.resting(() =>
    options.humans.ask(
      {
        runId: options.runId,
        stepNumber: 0,
        message: `Please sign in for "${script.name}", then press Resume.`,
        timeoutMs: SIGN_IN_TIMEOUT_MS,
        clock: ports.clock,
        ...(verification ? { until: isSignedIn } : {}),
      },
      signal,
    ),
  );
  if (!verification || (await isSignedIn(signal))) return;
  throw new AgentError(
    'BrowserAgent.LoginRequired',
    `profile ${options.profile ?? '(temporary)'} is not signed in: session.post_login_verification does not hold${errors.length > 0 ? ` (${errors.join('; ')})` : ''}. Sign in once with: local-browser-agent profiles sign-in ${options.profile ?? 'NAME'}`,
  );
}
