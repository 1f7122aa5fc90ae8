/** What the viewer page and the agent say to each other beside the picture, in JSON. */
import { z } from 'zod';

/** The subprotocol of clients that speak it; others get RFB alone. */
export const LIVE_PROTOCOL = 'lba.live.v1';

const MAX_CLIPBOARD_CHARACTERS = 65_536;

export const liveRequest = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('take') }),
  z.strictObject({ type: z.literal('release') }),
  z.strictObject({ type: z.literal('pause') }),
  z.strictObject({ type: z.literal('resume') }),
  z.strictObject({ type: z.literal('step') }),
  z.strictObject({ type: z.literal('cancel') }),
  /** `page`: of the list in the state; null: follow the run. */
  z.strictObject({ type: z.literal('look_at'), page: z.int().min(1).nullable() }),
  z.strictObject({ type: z.literal('clipboard'), text: z.string().max(MAX_CLIPBOARD_CHARACTERS) }),
]);
export type LiveRequest = z.infer<typeof liveRequest>;

export interface LiveState {
  type: 'state';
  role: 'viewer' | 'operator';
  script: string;
  /** `pausing` and `taking`: an action still goes on. */
  run: 'running' | 'pausing' | 'paused' | 'taken over';
  /** What a person is asked to do; null: nothing. */
  waiting: string | null;
  input: 'free' | 'taking' | 'yours' | 'other';
  viewers: number;
  /** `address`: without protocol and query. */
  pages: { id: number; address: string; isActing: boolean; isViewed: boolean }[];
}

export type LiveMessage =
  | LiveState
  /** Something that was asked for was not done, and why. */
  | { type: 'notice'; words: string }
  | { type: 'clipboard'; text: string }
  /** For the next connection: after a reload, or when this one is lost. */
  | { type: 'ticket'; ticket: string };
