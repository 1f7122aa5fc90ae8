/** The agent's API in React: typed queries whose errors are {@link ApiProblem}s, or say that nobody answers. */
import createQueryClient, { type OpenapiQueryClient } from 'openapi-react-query';
import { createContext, useContext } from 'react';
import { createClient, type ApiClient, type paths } from '../../../agent/client/client.ts';
import { ApiProblem } from '../../../agent/client/problem.ts';
import { AgentError } from '../../../agent/base/errors.ts';

export type { Shapes } from '../../../agent/client/client.ts';

export interface Api {
  url: string;
  token: string;
  /** `client.GET(path, …)`: rejects with an {@link ApiProblem} unless the answer is a success. */
  client: ApiClient;
  /** `query.useQuery('get', path, …)` and the like. */
  query: OpenapiQueryClient<paths>;
}

export function createApi({ url, token }: { url: string; token: string }): Api {
  const client = createClient({ url, token });
  client.use({
    onResponse: async ({ response }) => {
      if (response.ok) return;
      throw new ApiProblem(response.status, await response.json().catch(() => undefined));
    },
    onError: ({ error }) =>
      error instanceof AgentError
        ? error
        : new AgentError(
            'BrowserAgent.Unreachable',
            'The agent does not answer. It may be starting again; this page goes on by itself as soon as it is there.',
            { cause: error },
          ),
  });
  return { url, token, client, query: createQueryClient(client) };
}

export const ApiContext = createContext<Api | null>(null);

export function useApi(): Api {
  const api = useContext(ApiContext);
  if (!api) throw new Error('no agent is connected here');
  return api;
}
