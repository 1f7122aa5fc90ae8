/** One run as it is watched: its viewers, who holds mouse and keyboard, and what they are told beside the picture. */
import type { Page } from 'playwright';
import type { Actor } from '../base/actor.ts';
import { drop } from '../base/drop.ts';
import type { Logger } from '../base/log.ts';
import type { Hold, PauseState } from '../runs/pause-gate.ts';
import type { Screencast, Subscriber } from '../recording/screencast.ts';
import type { WatchableRun } from '../runs/watchable.ts';
import { FrameHub } from './frame-hub.ts';
import { InputLease, type ReleaseReason } from './input-lease.ts';
import { PageInput } from './input.ts';
import type { LiveMessage, LiveRequest, LiveState } from './messages.ts';
import type { CloseReason, Pipe } from './pipe.ts';
import type { LiveRole } from './tickets.ts';
import { Viewer, type InputMessage } from './viewer.ts';

/** More windows than this nobody looks at; each costs the sending of every frame. */
export const MAX_VIEWERS = 64;
/** From a ticket to its use, milliseconds: a page is loaded in between. */
const EXPECTED_MS = 3_000;
/** Addresses of pages can be of any length. */
const MAX_ADDRESS_CHARACTERS = 200;
/** Changes that come together are told together, in milliseconds. */
const TELL_MS = 50;

export const ENDED: CloseReason = { code: 4410, words: 'The run has ended.' };
const ONLY_WATCH: CloseReason = {
  code: 4403,
  words: 'This ticket is for watching: mouse and keyboard are not part of it.',
};
const FULL: CloseReason = { code: 4429, words: `${MAX_VIEWERS} people watch this run already.` };

/** What can be done with the run itself. */
export interface RunControls {
  /** Null: nobody makes it stand still. */
  paused(): PauseState | null;
  /** What it asks a person to do; null: nothing. */
  waiting(): string | null;
  /** Null: it has ended. */
  hold(by: Actor, reason: string): Hold | null;
  pause(by: Actor): void;
  /** Ends a pause, or answers that the person is done. @returns false when there is neither */
  resume(by: Actor): boolean;
  step(by: Actor): 'stepping' | 'not paused' | 'taken over';
  cancel(by: Actor): void;
}

export interface Watcher {
  role: LiveRole;
  /** The key that the ticket was made with. */
  keyId: string;
  actor: Actor;
  /** Null: who got here has shown a ticket. */
  password: string | null;
  /** For clients that cannot be told to keep their hands off: what they do is not done, instead of ending them. */
  isDeaf?: boolean;
}

export interface SessionOptions {
  run: WatchableRun;
  controls: RunControls;
  log: Logger;
  /** Of the input lease, for tests. */
  limits?: { graceMs: number; idleMs: number };
}

export interface Connection {
  receive(bytes: Uint8Array): void;
  ask(request: LiveRequest): void;
  gone(): void;
  /** Its greeting is done, with the password where there is one. */
  hasEntered(): boolean;
}

interface Member {
  id: number;
  watcher: Watcher;
  pipe: Pipe;
  viewer: Viewer;
  /** Null: that of the run. */
  lookingAt: Page | null;
}

/** Mouse and keyboard, while somebody has them. */
interface TakenOver {
  member: Member;
  hold: Hold;
  input: PageInput | null;
  /** Set once the run stands still: nothing is recorded until it is called. */
  done: (() => Promise<void>) | null;
  isOver: boolean;
}

export class LiveSession {
  readonly #run: WatchableRun;
  readonly #controls: RunControls;
  readonly #log: Logger;
  readonly #hub: FrameHub;
  /** Of pages that somebody has chosen to look at. */
  readonly #hubs = new Map<Page, { hub: FrameHub; cast: Screencast }>();
  readonly #members = new Map<number, Member>();
  readonly #pageIds = new WeakMap<Page, number>();
  readonly #lease: InputLease;
  readonly #off: (() => void)[] = [];
  #lastPageId = 0;
  #lastId = 0;
  #taken: TakenOver | null = null;
  /** Giving back goes on after the lease is free; who takes next waits for it. */
  #givingBack: Promise<void> = Promise.resolve();
  #telling: NodeJS.Timeout | undefined;
  #isEnded = false;

  constructor({ run, controls, log, limits }: SessionOptions) {
    this.#run = run;
    this.#controls = controls;
    this.#log = log;
    this.#hub = new FrameHub({ subscribe: (subscriber) => this.#subscribe(subscriber) });
    this.#lease = new InputLease({
      onReleased: (reason) => this.#onReleased(reason),
      ...(limits ? { limits } : {}),
    });
    this.#watchPages();
  }

  get runId(): string {
    return this.#run.runId;
  }

  get viewers(): number {
    return this.#members.size;
  }

  /** Somebody comes soon: the capture begins already, and ends again when nobody does. */
  expect(): void {
    const leave = this.#hub.join(() => {});
    setTimeout(leave, EXPECTED_MS).unref();
  }

  /** What the connection says is to be given to the viewer, and its end told with `gone`. */
  attach(pipe: Pipe, watcher: Watcher): Connection {
    if (this.#isEnded || this.#members.size >= MAX_VIEWERS) {
      pipe.close(this.#isEnded ? ENDED : FULL);
      return { receive: () => {}, ask: () => {}, gone: () => {}, hasEntered: () => false };
    }
    this.#lastId += 1;
    const id = this.#lastId;
    const viewer = new Viewer({
      pipe,
      hub: this.#hub,
      name: this.#run.scriptName,
      password: watcher.password,
      onInput: (message) => this.#onInput(member, message),
      onClosed: () => this.#remove(member),
      log: this.#log,
    });
    const member: Member = { id, watcher, pipe, viewer, lookingAt: null };
    this.#members.set(id, member);
    this.tell();
    return {
      receive: (bytes) => viewer.receive(bytes),
      ask: (request) => this.#ask(member, request),
      gone: () => viewer.close({ code: 1000, words: 'gone' }),
      hasEntered: () => viewer.state === 'waiting' || viewer.state === 'watching',
    };
  }

  /** Tells everybody how things are, soon. */
  tell(): void {
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      for (const member of this.#members.values()) member.pipe.say(this.#state(member));
    }, TELL_MS);
    this.#telling.unref();
  }

  /** The run has ended, or the agent does. */
  end(reason: CloseReason): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#lease.end();
    for (const { viewer } of this.#members.values()) viewer.close(reason);
    for (const off of this.#off.splice(0)) off();
    clearTimeout(this.#telling);
  }

  /** Opening the capture takes a moment; who has left by then is not subscribed. */
  #subscribe(subscriber: Subscriber): () => void {
    let leave: () => void = () => {};
    let hasLeft = false;
    const joined = this.#run.watch().then((cast) => {
      if (!hasLeft) leave = cast.subscribe(subscriber);
      return undefined;
    });
    drop(joined, this.#log, 'opening the live view');
    return () => {
      hasLeft = true;
      leave();
    };
  }

  #remove(member: Member): void {
    this.#members.delete(member.id);
    this.#lease.disconnected(member.id);
    this.#closeUnused();
    this.tell();
  }

  #onInput(member: Member, message: InputMessage): void {
    const { role, isDeaf } = member.watcher;
    if (isDeaf === true) return;
    if (role !== 'operator') member.viewer.close(ONLY_WATCH);
    else if (this.#lease.use(member.id)) this.#taken?.input?.do(message);
  }

  #ask(member: Member, request: LiveRequest): void {
    if (request.type === 'look_at') {
      drop(this.#lookAt(member, request.page), this.#log, 'looking at another page');
      return;
    }
    if (member.watcher.role !== 'operator') {
      notice(member, 'Your ticket is for watching: it does not steer the run.');
      return;
    }
    const { actor } = member.watcher;
    switch (request.type) {
      case 'take':
        drop(this.#take(member), this.#log, 'taking over');
        break;
      case 'release':
        this.#lease.release(member.id);
        break;
      case 'pause':
        this.#controls.pause(actor);
        break;
      case 'resume':
        if (!this.#controls.resume(actor)) notice(member, 'The run is not paused and waits for nobody.');
        break;
      case 'step':
        if (this.#controls.step(actor) !== 'stepping') notice(member, 'Pause the run first.');
        break;
      case 'cancel':
        this.#controls.cancel(actor);
        break;
      case 'clipboard':
        this.#onInput(member, { type: 'clipboard', text: request.text });
        break;
    }
    this.tell();
  }

  async #take(member: Member): Promise<void> {
    await this.#givingBack;
    if (this.#isEnded || member.viewer.isClosed) return;
    const verdict = this.#lease.take({ id: member.id, keyId: member.watcher.keyId });
    if (verdict === 'refused') {
      notice(member, 'Somebody else has mouse and keyboard. They must give them back first.');
      return;
    }
    if (verdict === 'kept' && this.#taken) {
      this.#taken.member = member;
      this.tell();
      return;
    }
    const hold = this.#controls.hold(member.watcher.actor, 'a person acts in the page');
    if (!hold) {
      this.#lease.release(member.id, 'ended');
      return;
    }
    const taken: TakenOver = { member, hold, input: null, done: null, isOver: false };
    this.#taken = taken;
    this.tell();
    drop(
      hold.over.then(() => this.#lease.release(taken.member.id, 'ended')),
      this.#log,
      'giving back',
    );
    await hold.standing;
    if (taken.isOver) return;
    const done = await this.#run.personActs();
    taken.done = done;
    // Given back in the meantime: nobody else will.
    if (taken.isOver) await done();
    else taken.input = this.#input(taken);
    this.tell();
  }

  #input(taken: TakenOver): PageInput {
    return new PageInput({
      context: this.#run.context,
      page: () => taken.member.lookingAt ?? this.#run.page(),
      pictureWidth: () => taken.member.viewer.pictureWidth,
      onCopied: (text) => {
        taken.member.viewer.offerClipboard(text);
        say(taken.member, { type: 'clipboard', text });
      },
      log: this.#log,
    });
  }

  #onReleased(reason: ReleaseReason): void {
    const taken = this.#taken;
    if (!taken) return;
    this.#taken = null;
    taken.isOver = true;
    if (reason === 'idle') {
      notice(taken.member, 'You did nothing for a while: mouse and keyboard were given back.');
    }
    this.#givingBack = this.#giveBack(taken);
    drop(this.#givingBack, this.#log, 'giving back');
    this.tell();
  }

  /** The run goes on only when what was typed is hidden. */
  async #giveBack({ input, done, hold }: TakenOver): Promise<void> {
    try {
      await input?.end();
      await done?.();
    } finally {
      hold.release();
      this.tell();
    }
  }

  async #lookAt(member: Member, pageId: number | null): Promise<void> {
    const page = this.#run.context.pages().find((one) => this.#pageId(one) === pageId) ?? null;
    const chosen = page === this.#run.page() ? null : page;
    const hub = chosen ? await this.#hubOf(chosen) : this.#hub;
    if (!hub || member.viewer.isClosed) return;
    member.lookingAt = chosen;
    member.viewer.look(hub);
    this.#closeUnused();
    this.tell();
  }

  async #hubOf(page: Page): Promise<FrameHub | null> {
    const known = this.#hubs.get(page);
    if (known) return known.hub;
    const cast = await this.#run.watchPage(page);
    if (!cast || this.#isEnded) {
      cast?.close();
      return null;
    }
    const hub = new FrameHub(cast);
    this.#hubs.set(page, { hub, cast });
    return hub;
  }

  #closeUnused(): void {
    const used = new Set([...this.#members.values()].map(({ lookingAt }) => lookingAt));
    for (const [page, { cast }] of this.#hubs) {
      if (used.has(page)) continue;
      cast.close();
      this.#hubs.delete(page);
    }
  }

  #watchPages(): void {
    const { context } = this.#run;
    const tell = (): void => this.tell();
    const onPage = (page: Page): void => {
      page.on('framenavigated', tell);
      page.once('close', () => this.#onPageClosed(page));
      this.#off.push(() => page.off('framenavigated', tell));
      tell();
    };
    for (const page of context.pages()) onPage(page);
    context.on('page', onPage);
    this.#off.push(() => context.off('page', onPage));
  }

  #onPageClosed(page: Page): void {
    for (const member of this.#members.values()) {
      if (member.lookingAt !== page) continue;
      member.lookingAt = null;
      member.viewer.look(this.#hub);
    }
    this.#closeUnused();
    this.tell();
  }

  #pageId(page: Page): number {
    let id = this.#pageIds.get(page);
    if (id === undefined) {
      this.#lastPageId += 1;
      id = this.#lastPageId;
      this.#pageIds.set(page, id);
    }
    return id;
  }

  #state(member: Member): LiveState {
    const paused = this.#controls.paused();
    const acting = this.#run.page();
    const seen = member.lookingAt ?? acting;
    return {
      type: 'state',
      role: member.watcher.role,
      script: this.#run.scriptName,
      run: stateOf(paused),
      waiting: this.#controls.waiting(),
      input: this.#inputState(member),
      viewers: this.#members.size,
      pages: this.#run.context.pages().map((page) => ({
        id: this.#pageId(page),
        address: addressOf(page),
        isActing: page === acting,
        isViewed: page === seen,
      })),
    };
  }

  #inputState({ id, watcher }: Member): LiveState['input'] {
    const taken = this.#taken;
    if (!taken) return 'free';
    if (taken.member.id === id) return taken.input ? 'yours' : 'taking';
    // Their own connection that has gone: they may take it up again.
    return taken.member.viewer.isClosed && taken.member.watcher.keyId === watcher.keyId ? 'free' : 'other';
  }
}

function stateOf(paused: PauseState | null): LiveState['run'] {
  if (!paused) return 'running';
  if (!paused.isStanding) return 'pausing';
  return paused.kind === 'takeover' ? 'taken over' : 'paused';
}

function notice(member: Member, words: string): void {
  say(member, { type: 'notice', words });
}

function say({ pipe }: Member, message: LiveMessage): void {
  pipe.say(message);
}

/** Without what follows the path: that may be a secret, and is of no use to tell pages apart. */
function addressOf(page: Page): string {
  const { protocol, host, pathname } = new URL(page.url());
  return (host === '' ? `${protocol}${pathname}` : `${host}${pathname}`).slice(0, MAX_ADDRESS_CHARACTERS);
}
