/** The live view of all runs: lets connections in, each to the run that its ticket is for. */
import type { IncomingMessage } from 'node:http';
import type { RawData, WebSocket } from 'ws';
import type { Actor } from '../base/actor.ts';
import { AgentError } from '../base/errors.ts';
import type { AgentEvent, EventBus } from '../base/events.ts';
import type { Logger } from '../base/log.ts';
import type { ActiveRuns } from '../runs/active-runs.ts';
import type { HumanDesk } from '../runs/human-desk.ts';
import type { WatchableRuns } from '../runs/watchable.ts';
import { LIVE_PROTOCOL, liveRequest } from './messages.ts';
import { webSocketPipe, type CloseReason, type Pipe } from './pipe.ts';
import { ENDED, LiveSession, type RunControls } from './session.ts';
import type { LiveRole, LiveTickets, Redeemed } from './tickets.ts';

/** The largest message of a client: a clipboard, and a little around it. */
export const MAX_MESSAGE_BYTES = 300_000;
/** What was said that makes no sense is answered so often, then the connection is closed. */
const MAX_BAD = 20;
/** Tickets may be set to live a second only, in milliseconds. */
const MIN_RENEW_MS = 500;
/** The second subprotocol that a client offers: `ticket.<ticket>`. */
const TICKET_PREFIX = 'ticket.';
/** noVNC asks for this one. */
const BINARY_PROTOCOL = 'binary';

const STOPPED: CloseReason = { code: 1001, words: 'The agent ends.' };

const TOLD = new Set<AgentEvent['type']>([
  'run.paused',
  'run.resumed',
  'human.requested',
  'human.resolved',
  'step.finished',
]);

export interface LiveViewOptions {
  runs: WatchableRuns;
  engine: ActiveRuns;
  humans: HumanDesk;
  tickets: LiveTickets;
  events: EventBus;
  log: Logger;
}

/** Somebody with a ticket that is good. */
interface Arrival {
  socket: WebSocket;
  pipe: Pipe;
  runId: string;
  request: IncomingMessage;
  redeemed: Exclude<Redeemed, { problem: unknown }>;
}

export class LiveView {
  readonly #options: LiveViewOptions;
  readonly #sessions = new Map<string, LiveSession>();
  readonly #unsubscribe: () => void;

  constructor(options: LiveViewOptions) {
    this.#options = options;
    this.#unsubscribe = options.events.on('live view', (event) => {
      if (TOLD.has(event.type) && 'runId' in event) this.#sessions.get(event.runId)?.tell();
    });
  }

  /** A WebSocket that has just been opened for this run. */
  connect(socket: WebSocket, runId: string, request: IncomingMessage): void {
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
    const pipe = webSocketPipe(socket, { speaks: socket.protocol === LIVE_PROTOCOL });
    // What was wrong is in the close that follows; without a listener it would end the process.
    socket.on('error', () => undefined);
    const ticket = offered.find((protocol) => protocol.startsWith(TICKET_PREFIX));
    const redeemed = this.#options.tickets.redeem(ticket?.slice(TICKET_PREFIX.length) ?? '');
    const refusal = refusalOf(redeemed, runId, ticket !== undefined);
    if (refusal || 'problem' in redeemed) {
      pipe.close(refusal ?? ENDED);
      return;
    }
    const { engine, runs, events } = this.#options;
    if (runs.get(runId)) {
      this.#admit({ socket, pipe, runId, request, redeemed });
      return;
    }
    if (!engine.isRunning(runId)) {
      pipe.close(ENDED);
      return;
    }
    // Its browser is not open yet: who comes early waits with it.
    pipe.say({ type: 'notice', words: 'The run has not opened its browser yet.' });
    const stop = (): void => {
      forgetRun();
      forgetEnd();
    };
    const forgetRun = runs.await(runId, () => {
      stop();
      this.#admit({ socket, pipe, runId, request, redeemed });
    });
    const forgetEnd = events.on('live view, before the browser', (event) => {
      if (event.type !== 'run.finished' || event.runId !== runId) return;
      stop();
      pipe.close(ENDED);
    });
    socket.on('close', stop);
  }

  #admit({ socket, pipe, runId, request, redeemed }: Arrival): void {
    const session = this.session(runId);
    if (!session) {
      pipe.close(ENDED);
      return;
    }
    const { role, keyId } = redeemed;
    const { remoteAddress, remotePort } = request.socket;
    const actor: Actor = {
      kind: keyId === 'owner' ? 'owner' : 'key',
      id: keyId,
      from: `${remoteAddress ?? 'unknown'}:${remotePort ?? 0}`,
    };
    const connection = session.attach(pipe, { role, keyId, actor, password: null });
    let bad = 0;
    socket.on('message', (data: RawData, isBinary) => {
      const bytes = asBuffer(data);
      if (isBinary) {
        connection.receive(bytes);
        return;
      }
      const parsed = liveRequest.safeParse(asJson(bytes));
      if (parsed.success) connection.ask(parsed.data);
      else {
        bad += 1;
        if (bad > MAX_BAD) pipe.close({ code: 4400, words: 'Too many messages that make no sense.' });
        else pipe.say({ type: 'notice', words: 'The viewer said something that the agent does not know.' });
      }
    });
    const stopRenewing = this.#renew(pipe, redeemed);
    socket.on('close', () => {
      stopRenewing();
      connection.gone();
    });
  }

  /** A ticket was asked for: whoever comes with it is to see something at once. */
  expect(runId: string): void {
    this.session(runId)?.expect();
  }

  /** Undefined: that run cannot be watched now. */
  session(runId: string): LiveSession | undefined {
    const known = this.#sessions.get(runId);
    if (known) return known;
    const { runs, log } = this.#options;
    const run = runs.get(runId);
    if (!run) return undefined;
    const session = new LiveSession({ run, controls: this.#controls(runId), log });
    this.#sessions.set(runId, session);
    runs.onGone(runId, () => {
      this.#sessions.delete(runId);
      session.end(ENDED);
    });
    return session;
  }

  /** Of the run that began last; undefined: none is at work. */
  newest(): LiveSession | undefined {
    const run = this.#options.runs.newest();
    return run && this.session(run.runId);
  }

  close(): void {
    this.#unsubscribe();
    for (const session of this.#sessions.values()) session.end(STOPPED);
    this.#sessions.clear();
  }

  /** A ticket for the next connection, again and again; so it shows, too, when the key is revoked. */
  #renew(pipe: Pipe, holder: { runId: string; role: LiveRole; keyId: string }): () => void {
    const { tickets } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const renew = (): void => {
      const check = tickets.redeem(tickets.issue(holder).ticket);
      const refusal = refusalOf(check, holder.runId, true);
      if (refusal) {
        pipe.close(refusal);
        return;
      }
      const { ticket, expiresAt } = tickets.issue(holder);
      pipe.say({ type: 'ticket', ticket });
      timer = setTimeout(renew, Math.max(MIN_RENEW_MS, (expiresAt - Date.now()) / 2));
      timer.unref();
    };
    renew();
    return () => clearTimeout(timer);
  }

  #controls(runId: string): RunControls {
    const { engine, humans } = this.#options;
    const gate = () => engine.gate(runId);
    return {
      paused: () => gate()?.state ?? null,
      waiting: () => humans.pending().find((one) => one.runId === runId)?.message ?? null,
      hold: (by, reason) => gate()?.hold(by, reason, 'takeover') ?? null,
      pause: (by) => void gate()?.pause(by, 'paused in the live view'),
      resume: () => gate()?.resume() === true || humans.resume(runId),
      step: () => gate()?.step() ?? 'not paused',
      cancel: () =>
        void engine.cancel(
          runId,
          new AgentError('BrowserAgent.Cancelled', 'A person cancelled the run in the live view.'),
        ),
    };
  }
}

/** Which of the subprotocols that a client offers is spoken. */
export function chooseProtocol(offered: Set<string>): string | false {
  if (offered.has(LIVE_PROTOCOL)) return LIVE_PROTOCOL;
  return offered.has(BINARY_PROTOCOL) ? BINARY_PROTOCOL : false;
}

function refusalOf(redeemed: Redeemed, runId: string, isGiven: boolean): CloseReason | null {
  if (!isGiven)
    return { code: 4401, words: 'A ticket is needed: open the view from the app, or ask for one.' };
  if ('problem' in redeemed) {
    return {
      code: 4401,
      words: {
        unknown: 'This ticket is not known. Tickets are good for one connection to one agent.',
        expired: 'This ticket has expired: ask for another.',
        used: 'This ticket was used already: ask for another.',
        revoked: 'The key that this ticket was made with cannot be used any more.',
      }[redeemed.problem],
    };
  }
  if (redeemed.runId !== runId) return { code: 4403, words: 'This ticket is for another run.' };
  return null;
}

function asBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}

function asJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
