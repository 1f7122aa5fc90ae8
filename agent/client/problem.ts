/** An answer of the API from 400 up, as an error: RFC 9457 problem details with the agent's error names. */
import { z } from 'zod';
import { AgentError } from '../base/errors.ts';

const placeSchema = z.object({ path: z.string(), message: z.string() });

const problemSchema = z.object({
  detail: z.string(),
  error: z.string(),
  hint: z.string().optional(),
  problems: z.array(placeSchema).optional(),
});

/** One thing that is wrong in what was sent, e.g. at `$.steps[2].action`. */
export type Place = z.infer<typeof placeSchema>;

/** `message` says what, where (a line for each place) and what to do. */
export class ApiProblem extends AgentError {
  /** HTTP status. */
  readonly status: number;
  readonly places: readonly Place[];

  /** @param body of the answer; any, because what answers there may be no agent */
  constructor(status: number, body: unknown) {
    const read = problemSchema.safeParse(body);
    const {
      detail,
      error,
      hint,
      problems = [],
    } = read.success
      ? read.data
      : {
          detail: `Status ${status} came without the problem details that an agent sends.`,
          error: 'BrowserAgent.Internal',
          hint: 'Is it another program that answers at this address?',
        };
    const places = problems.map(({ path, message }) => `\n  ${path}: ${message}`).join('');
    super(error, `${detail}${hint === undefined ? '' : ` ${hint}`}${places}`, { data: { status, problems } });
    this.name = 'ApiProblem';
    this.status = status;
    this.places = problems;
  }
}
