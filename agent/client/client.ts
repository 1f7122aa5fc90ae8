/**
 * A typed client of the local API, for the window and the command line alike: plain `fetch`, nothing of
 * Node's. Types come from the API's own document (schema.ts); problems come as {@link ApiProblem}.
 */
import createFetchClient, { type Client } from 'openapi-fetch';
import { AgentError, messageOf } from '../base/errors.ts';
import { ApiProblem } from './problem.ts';
import type { components, paths } from './schema.ts';

export type { paths } from './schema.ts';

/** Shapes of the API by name, e.g. `Shapes['Run']`. */
export type Shapes = components['schemas'];

/** `GET`, `POST`, … by path, as openapi-fetch has them; give what they return to {@link answerOf}. */
export type ApiClient = Client<paths>;

export interface ClientOptions {
  /** Address of the agent without the prefix, e.g. `http://127.0.0.1:4590`. */
  url: string;
  /** The key; sent with every request. */
  token: string;
  /** Default: the platform's own. */
  fetch?: (request: Request) => Promise<Response>;
}

export function createClient({ url, token, fetch }: ClientOptions): ApiClient {
  return createFetchClient<paths>({
    baseUrl: url,
    headers: { authorization: `Bearer ${token}` },
    ...(fetch ? { fetch } : {}),
  });
}

/** What a call of the client resolves to, as far as {@link answerOf} needs it. */
interface Outcome<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

/**
 * The body of the answer: `const run = await answerOf(client.GET('/api/v1/runs/{run_id}', …))`.
 *
 * @throws ApiProblem when the agent refused
 * @throws AgentError BrowserAgent.Unreachable when it could not be asked
 */
export async function answerOf<Data>(call: Promise<Outcome<Data>>): Promise<Exclude<Data, undefined>> {
  let outcome: Outcome<Data>;
  try {
    outcome = await call;
  } catch (thrown) {
    throw unreachable(thrown);
  }
  const { data, error, response } = outcome;
  if (!response.ok) throw new ApiProblem(response.status, error);
  return data as Exclude<Data, undefined>;
}

function unreachable(thrown: unknown): AgentError {
  if (thrown instanceof AgentError) return thrown;
  // `fetch` says only that it failed; why is in the cause.
  const { cause } = thrown as Error;
  const why = cause instanceof Error ? messageOf(cause) : messageOf(thrown);
  return new AgentError(
    'BrowserAgent.Unreachable',
    `The agent could not be asked: ${why}. Is it still running? "local-browser-agent status" shows it.`,
    { cause: thrown },
  );
}
