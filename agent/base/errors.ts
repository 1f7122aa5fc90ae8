/** The closed list of error names a task can fail with, for `Catch` and `Retry` in a state machine. */
export const ERROR_NAMES = [
  'BrowserAgent.InvalidInput',
  'BrowserAgent.InvalidScript',
  'BrowserAgent.PolicyDenied',
  'BrowserAgent.ProfileNotFound',
  'BrowserAgent.ProfileBusy',
  'BrowserAgent.LoginRequired',
  'BrowserAgent.BrowserUnavailable',
  'BrowserAgent.NavigationFailed',
  'BrowserAgent.ElementNotFound',
  'BrowserAgent.AssertionFailed',
  'BrowserAgent.StepTimeout',
  'BrowserAgent.RunTimeout',
  'BrowserAgent.StepFailed',
  'BrowserAgent.OutputTooLarge',
  'BrowserAgent.HumanTimeout',
  'BrowserAgent.Cancelled',
  'BrowserAgent.Draining',
  'BrowserAgent.Interrupted',
  'BrowserAgent.Internal',
] as const;

export type ErrorName = (typeof ERROR_NAMES)[number];

/**
 * An error a person can act on. `errorName` is one of {@link ERROR_NAMES}, or the name a script's own
 * `fail` step chose; `message` says what, where and how to fix it; `data` is JSON-safe detail.
 */
export class AgentError extends Error {
  readonly errorName: string;
  readonly data: Record<string, unknown>;

  constructor(
    errorName: ErrorName | (string & {}),
    message: string,
    options: { cause?: unknown; data?: Record<string, unknown> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AgentError';
    this.errorName = errorName;
    this.data = options.data ?? {};
  }
}

/** Any thrown value as an {@link AgentError}; what is not one already gets `fallback` as its name. */
export function toAgentError(thrown: unknown, fallback: ErrorName = 'BrowserAgent.Internal'): AgentError {
  if (thrown instanceof AgentError) return thrown;
  return new AgentError(fallback, messageOf(thrown), { cause: thrown });
}

/** The message of any thrown value, never empty. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message || thrown.name;
  return String(thrown) || 'unknown error';
}
