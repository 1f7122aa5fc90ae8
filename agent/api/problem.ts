/** Errors as RFC 9457 problem details, with the agent's error names in the member `error`. */
import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { AgentError, type ErrorName } from '../base/errors.ts';

export const PROBLEM_TYPE = 'application/problem+json';

/** Names of what only a request can run into; the names of {@link ErrorName} are the others. */
export const API_ERROR_NAMES = [
  'BrowserAgent.Unauthorized',
  'BrowserAgent.Forbidden',
  'BrowserAgent.NotFound',
  'BrowserAgent.Conflict',
  'BrowserAgent.TooManyRequests',
] as const;
type ApiErrorName = (typeof API_ERROR_NAMES)[number];

const placeSchema = z.object({
  /** Where in the request or script, e.g. `$.steps[2].action`. */
  path: z.string(),
  message: z.string(),
  severity: z.enum(['error', 'warning']).optional(),
  line: z.int().optional(),
  column: z.int().optional(),
  suggestion: z.string().optional(),
});

export type Place = z.infer<typeof placeSchema>;

export const problemSchema = z
  .object({
    type: z.literal('about:blank').describe('Always `about:blank`: `error` says which problem it is.'),
    title: z.string().describe('The status in words.'),
    status: z.int(),
    detail: z.string().describe('What went wrong, for a person.'),
    error: z.string().describe('Name of the error, e.g. `BrowserAgent.InvalidScript`.'),
    hint: z.string().optional().describe('What to do about it.'),
    problems: z.array(placeSchema).optional().describe('Each thing that is wrong, with its place.'),
  })
  .meta({ id: 'Problem' });

export type Problem = z.infer<typeof problemSchema>;

/** An error with the status it is answered with. */
export class ApiError extends AgentError {
  readonly status: number;
  readonly hint: string | undefined;
  readonly problems: Place[] | undefined;

  constructor(
    status: number,
    errorName: ApiErrorName | ErrorName,
    message: string,
    more: { hint?: string; problems?: Place[] } = {},
  ) {
    super(errorName, message);
    this.name = 'ApiError';
    this.status = status;
    this.hint = more.hint;
    this.problems = more.problems;
  }
}

/** The agent's errors as a request may see them; every other one is a 500. */
const STATUS: Partial<Record<string, number>> = {
  'BrowserAgent.InvalidInput': 400,
  'BrowserAgent.PolicyDenied': 403,
  'BrowserAgent.ProfileNotFound': 404,
  'BrowserAgent.ProfileBusy': 409,
  'BrowserAgent.InvalidScript': 422,
  'BrowserAgent.Draining': 503,
  'BrowserAgent.BrowserUnavailable': 503,
};

/** The problem that a thrown value is answered with. */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof ApiError) {
    return problem(thrown.status, thrown.errorName, thrown.message, {
      ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
      ...(thrown.problems === undefined ? {} : { problems: thrown.problems }),
    });
  }
  if (thrown instanceof AgentError) {
    const status = STATUS[thrown.errorName];
    if (status !== undefined) {
      const places = z.array(placeSchema).safeParse(thrown.data['problems']);
      return problem(
        status,
        thrown.errorName,
        thrown.message,
        places.success ? { problems: places.data } : {},
      );
    }
  }
  const status = statusOf(thrown);
  if (status !== undefined && status < 500) {
    return problem(status, 'BrowserAgent.InvalidInput', thrown instanceof Error ? thrown.message : '');
  }
  // What it was is for the log: a message may hold paths, queries or worse.
  return problem(500, 'BrowserAgent.Internal', 'The agent could not answer.', {
    hint: 'The log of the agent says more.',
  });
}

export function problem(
  status: number,
  error: string,
  detail: string,
  more: Pick<Problem, 'hint' | 'problems'> = {},
): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, error, ...more };
}

/** Fastify's own errors carry their status. */
function statusOf(thrown: unknown): number | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('statusCode' in thrown)) return undefined;
  const { statusCode } = thrown;
  return typeof statusCode === 'number' && statusCode >= 400 ? statusCode : undefined;
}

interface ProblemAnswer {
  description: string;
  content: { [PROBLEM_TYPE]: { schema: typeof problemSchema } };
}

/** What any route may answer: a request that makes no sense, no key, wrong scope, wrong `Host`, limits, a bug. */
const ALWAYS = [400, 401, 403, 421, 429, 500] as const;

/** The `response` schema of a route: its own answers, and each problem status that it can end with. */
export function answers<const Own extends Record<number, unknown>>(
  own: Own,
  ...statuses: (404 | 409 | 412 | 413 | 415 | 416 | 422 | 426 | 503)[]
): Own & Record<(typeof ALWAYS)[number] | 404 | 409, ProblemAnswer> {
  const problems = Object.fromEntries(
    [...ALWAYS, ...statuses].map((status): [number, ProblemAnswer] => [
      status,
      {
        description: STATUS_CODES[status] ?? '',
        content: { [PROBLEM_TYPE]: { schema: problemSchema } },
      },
    ]),
  );
  return { ...own, ...problems } as never;
}
