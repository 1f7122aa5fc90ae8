/** One viewer of a run: who it is, and the connection to it. */
import type { Page } from 'playwright';
import type { Actor } from '../base/actor.ts';
import type { LiveMessage } from './messages.ts';
import type { Pipe } from './pipe.ts';
import type { LiveRole } from './tickets.ts';
import type { Viewer } from './viewer.ts';

export interface Watcher {
  role: LiveRole;
  /** The key that the ticket was made with. */
  keyId: string;
  actor: Actor;
  /** Null when authenticated by ticket. */
  password: string | null;
  /** Ignore input, rather than disconnect: for clients that cannot be told they are view-only. */
  isDeaf?: boolean;
}

export interface Member {
  id: number;
  watcher: Watcher;
  pipe: Pipe;
  viewer: Viewer;
  /** Null: the page that the run acts in. */
  lookingAt: Page | null;
}

/** Shows the viewer a message. */
export function notice({ pipe }: Pick<Member, 'pipe'>, words: string): void {
  pipe.say({ type: 'notice', words } satisfies LiveMessage);
}
