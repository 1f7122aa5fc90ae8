/** A client of the agent that works on a data directory here, with the owner's key that it keeps there. */
import { readOwnerFile, type OwnerFile } from '../api/owner-file.ts';
import { dialled } from '../base/dialled.ts';
import { AgentError } from '../base/errors.ts';
import { isAlive } from '../base/is-alive.ts';
import { homePaths } from '../base/paths.ts';
import { isWorkerLocked } from '../store/worker-lock.ts';
import { createClient, type ApiClient } from './client.ts';
import { pinnedFetch } from './pinned-fetch.ts';

/** Whether an agent works on a data directory, and whether it can be spoken to. */
export type Reached =
  | { state: 'open'; client: ApiClient; file: OwnerFile }
  /** An agent is at work, but answers nothing: its API is off, or it is just starting or ending. */
  | { state: 'silent' }
  | { state: 'none' };

/** Looks, and asks nobody: an agent that hangs is found out by the first call. */
export function reach(home: string): Reached {
  const paths = homePaths(home);
  const file = readOwnerFile(paths.api);
  // A file without its process is what kill -9 leaves; its port may be another program's by now.
  if (file && isAlive(file.pid)) return { state: 'open', client: clientOf(file), file };
  return isWorkerLocked(paths.database) ? { state: 'silent' } : { state: 'none' };
}

/** @throws AgentError BrowserAgent.Unreachable when no agent runs there, or its API is off */
export function connect({ home }: { home: string }): ApiClient {
  const reached = reach(home);
  if (reached.state === 'open') return reached.client;
  if (reached.state === 'none') {
    throw new AgentError(
      'BrowserAgent.Unreachable',
      `No agent runs on ${home}. Start one with: local-browser-agent run`,
    );
  }
  throw new AgentError(
    'BrowserAgent.Unreachable',
    `An agent works on ${home}, but it cannot be spoken to: its local API is off (api.enabled: false), or it is just starting or ending. "local-browser-agent config get api.enabled" shows which.`,
  );
}

function clientOf({ url, token, certificate }: OwnerFile): ApiClient {
  const address = dialled(url);
  return createClient({
    url: address,
    token,
    ...(certificate === undefined ? {} : { fetch: pinnedFetch(certificate) }),
  });
}
