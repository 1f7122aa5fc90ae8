/**
 * Events over a WebSocket: a client subscribes as often as it likes, each subscription with its own filter and
 * place, and says how far it has come. Nothing is queued: while the socket is full, nothing is read.
 */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { EventStore } from '../../store/events.ts';
import type { Caller } from '../keys.ts';
import type { RateLimits } from '../limits.ts';
import { ApiError, problemOf } from '../problem.ts';
import { EventCursor, unknownType } from './cursor.ts';
import type { EndReason, EventFeed, Follower } from './feed.ts';
import { clientMessage, type ClientMessage, type ServerMessage } from './messages.ts';

/** Longest message of a client, in bytes: the longest subscription is a tenth of it. */
export const MAX_MESSAGE_BYTES = 16_384;
/** Subscriptions of one socket: one filter names many types, so nobody needs more. */
const MAX_SUBSCRIPTIONS = 20;
/** Names that one key may acknowledge under. */
const MAX_CONSUMERS = 100;
/** After so many messages that make no sense the client is broken, and every further answer wasted. */
const MAX_BAD = 20;
/** More in a second is no dialogue any more. */
const MAX_PER_SECOND = 200;
/** A client that asks and asks and never reads the answers; bytes. */
const MAX_UNREAD_BYTES = 262_144;
/** Who gives no sign of life for so long is not there any more, in milliseconds: four beats. */
const DEAD_MS = 60_000;

/** https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 */
const GOING_AWAY = 1001;
const POLICY = 1008;

export interface SocketPorts {
  feed: EventFeed;
  store: EventStore;
  limits: RateLimits;
  clock: Clock;
}

interface Subscription {
  cursor: EventCursor;
  /** Everything of an event message before the event itself. */
  head: Buffer;
  told: number;
}

const TAIL = Buffer.from('}');

export class EventSocket implements Follower {
  readonly #ports: SocketPorts;
  readonly #caller: Caller;
  readonly #ws: WebSocket;
  readonly #socket: Duplex;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #unfollow: () => void;
  #heardAt: number;
  #bad = 0;
  #second = 0;
  #inSecond = 0;

  constructor(ports: SocketPorts, connection: { caller: Caller; ws: WebSocket; socket: Duplex }) {
    this.#ports = ports;
    this.#caller = connection.caller;
    this.#ws = connection.ws;
    this.#socket = connection.socket;
    this.#heardAt = ports.clock.monotonic();
    const { ws, socket } = connection;
    ws.on('message', (data, isBinary) => this.#onMessage(data as Buffer, isBinary));
    ws.on('pong', () => this.#hear());
    // What it was is in the close that follows; without a listener it would end the process.
    ws.on('error', () => undefined);
    socket.on('drain', () => {
      // It takes what it is sent: slow, but there.
      this.#hear();
      ports.feed.wake(this);
    });
    ws.on('close', () => this.#unfollow());
    this.#unfollow = ports.feed.follow(this, connection.caller);
  }

  pump(): boolean {
    let isMore = false;
    for (const [id, subscription] of this.#subscriptions) {
      if (!this.#takes()) return false;
      const { lost, events, isMore: more } = subscription.cursor.next();
      if (lost) this.#send({ type: 'history_lost', id, ...lost });
      if (events.length > 0) subscription.told = subscription.cursor.position;
      this.#socket.cork();
      for (const event of events) {
        this.#ws.send(Buffer.concat([subscription.head, Buffer.from(event.json), TAIL]), { binary: false });
      }
      this.#socket.uncork();
      isMore ||= more;
    }
    return isMore && this.#takes();
  }

  beat(): void {
    if (this.#ports.clock.monotonic() - this.#heardAt >= DEAD_MS) {
      this.cut();
      return;
    }
    if (!this.#takes()) return;
    this.#ws.ping();
    for (const [id, subscription] of this.#subscriptions) {
      const { position } = subscription.cursor;
      if (position === subscription.told) continue;
      subscription.told = position;
      this.#send({ type: 'position', id, position });
    }
  }

  end(reason: EndReason): void {
    if (reason === 'revoked') this.#close(POLICY, 'this key cannot be used any more');
    else this.#close(GOING_AWAY, 'the agent ends');
  }

  cut(): void {
    this.#ws.terminate();
  }

  #takes(): boolean {
    return this.#ws.readyState === this.#ws.OPEN && !this.#socket.writableNeedDrain;
  }

  #hear(): void {
    this.#heardAt = this.#ports.clock.monotonic();
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    this.#hear();
    if (!this.#isInTime()) {
      this.#close(POLICY, `more than ${MAX_PER_SECOND} messages in a second`);
      return;
    }
    let id: string | undefined;
    try {
      const message = parse(data, isBinary);
      if ('id' in message) ({ id } = message);
      this.#act(message);
    } catch (thrown) {
      const { error, detail, hint, problems } = problemOf(thrown);
      this.#send({
        type: 'error',
        ...(id === undefined ? {} : { id }),
        error,
        detail,
        ...(hint === undefined ? {} : { hint }),
        ...(problems === undefined ? {} : { problems }),
      });
      this.#bad += 1;
      if (this.#bad >= MAX_BAD) this.#close(POLICY, 'too many messages that cannot be followed');
    }
  }

  #act(message: ClientMessage): void {
    switch (message.type) {
      case 'subscribe':
        this.#subscribe(message);
        break;
      case 'unsubscribe':
        if (!this.#subscriptions.delete(message.id)) throw wrong(`There is no subscription "${message.id}".`);
        this.#send({ type: 'unsubscribed', id: message.id });
        break;
      case 'acknowledge':
        this.#acknowledge(message);
        break;
      case 'ping':
        this.#send({ type: 'pong' });
        break;
    }
  }

  #subscribe(message: Extract<ClientMessage, { type: 'subscribe' }>): void {
    const { id, types, consumer } = message;
    const { feed, store, limits } = this.#ports;
    const unknown = types && unknownType(types);
    if (unknown !== undefined) throw wrong(`No event has the type "${unknown}".`);
    if (!this.#subscriptions.has(id) && this.#subscriptions.size >= MAX_SUBSCRIPTIONS) {
      throw wrong(`This socket has ${MAX_SUBSCRIPTIONS} subscriptions; one more is too many.`);
    }
    // Reading history is what a request is counted for.
    if (this.#caller.row !== null) {
      const { allowed, limit, resetSeconds } = limits.take(this.#caller.row);
      if (!allowed) {
        throw new ApiError(
          429,
          'BrowserAgent.TooManyRequests',
          `This key has used up its ${limit} requests.`,
          { hint: `Ask again in ${resetSeconds} s.` },
        );
      }
    }
    const known = consumer === undefined ? undefined : store.position(this.#caller.keyId, consumer);
    const cursor = new EventCursor(
      feed,
      { types, runId: message.run_id, minPriority: message.min_priority },
      message.after ?? known,
    );
    const head = Buffer.from(`${JSON.stringify({ type: 'event', id }).slice(0, -1)},"event":`);
    this.#subscriptions.set(id, { cursor, head, told: cursor.position });
    this.#send({ type: 'subscribed', id, position: cursor.position });
    feed.wake(this);
  }

  #acknowledge({ consumer, event_id }: Extract<ClientMessage, { type: 'acknowledge' }>): void {
    const { feed, store, clock } = this.#ports;
    const { newest } = feed.bounds();
    if (event_id > newest) throw wrong(`There is no event ${event_id} yet: the last is ${newest}.`);
    const position = store.acknowledge(
      { keyId: this.#caller.keyId, consumer, eventId: event_id },
      { most: MAX_CONSUMERS, now: clock.now() },
    );
    if (position === undefined) {
      throw wrong(`This key has ${MAX_CONSUMERS} consumers; one more is too many.`);
    }
    this.#send({ type: 'acknowledged', consumer, event_id: position });
  }

  #send(message: ServerMessage): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    if (this.#socket.writableLength > MAX_UNREAD_BYTES) this.cut();
    else this.#ws.send(JSON.stringify(message));
  }

  /** Whoever does not take the closing handshake is cut off by the feed or by ws itself, after 30 s. */
  #close(code: number, reason: string): void {
    this.#subscriptions.clear();
    if (this.#socket.writableNeedDrain) this.cut();
    else this.#ws.close(code, reason);
  }

  #isInTime(): boolean {
    const second = Math.floor(this.#ports.clock.monotonic() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#inSecond = 0;
    }
    this.#inSecond += 1;
    return this.#inSecond <= MAX_PER_SECOND;
  }
}

/** @throws ApiError 400 that says what is wrong with it */
function parse(data: Buffer, isBinary: boolean): ClientMessage {
  if (isBinary) throw wrong('Messages are JSON texts; this one was binary.');
  let json: unknown;
  try {
    json = JSON.parse(data.toString('utf8'));
  } catch (thrown) {
    throw wrong(`The message is no JSON: ${messageOf(thrown)}`);
  }
  const parsed = clientMessage.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new ApiError(400, 'BrowserAgent.InvalidInput', 'The message is not as documented.', {
    problems: parsed.error.issues.map(({ path, message }) => ({
      path: ['$', ...path.map(String)].join('.'),
      message,
    })),
  });
}

function wrong(detail: string): ApiError {
  return new ApiError(400, 'BrowserAgent.InvalidInput', detail);
}
