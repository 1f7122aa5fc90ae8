/** One run as it is watched: its viewers, what they ask for, and the state that they are told beside the picture. */
import type { Page } from 'playwright';
import type { Actor } from '../base/actor.ts';
import { drop } from '../base/drop.ts';
import type { Logger } from '../base/log.ts';
import type { Hold, PauseState } from '../runs/pause-gate.ts';
import type { WatchableRun } from '../runs/watchable.ts';
import { notice, type Member, type Watcher } from './member.ts';
import type { LiveRequest, LiveState } from './messages.ts';
import type { CloseReason, Pipe } from './pipe.ts';
import { RunPages } from './run-pages.ts';
import { Takeover } from './takeover.ts';
import { Viewer, type InputMessage } from './viewer.ts';

/** Each viewer costs the sending of every frame; no run is watched by more people than this. */
export const MAX_VIEWERS = 64;
/** From a ticket to its use (ms): a page is loaded in between. */
const EXPECTED_MS = 3_000;
/** Changes within this time are told together (ms). */
const TELL_MS = 50;

export const ENDED: CloseReason = { code: 4410, words: 'The run has ended.' };
const ONLY_WATCH: CloseReason = {
  code: 4403,
  words: 'This ticket is for watching: mouse and keyboard are not part of it.',
};
const FULL: CloseReason = { code: 4429, words: `${MAX_VIEWERS} people watch this run already.` };

/** What can be done with the run itself. */
export interface RunControls {
  /** Null: the run is not paused. */
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

export class LiveSession {
  readonly #run: WatchableRun;
  readonly #controls: RunControls;
  readonly #log: Logger;
  readonly #pages: RunPages;
  readonly #takeover: Takeover;
  readonly #members = new Map<number, Member>();
  #lastId = 0;
  #telling: NodeJS.Timeout | undefined;
  #isEnded = false;

  constructor({ run, controls, log, limits }: SessionOptions) {
    this.#run = run;
    this.#controls = controls;
    this.#log = log;
    this.#takeover = new Takeover({
      run,
      hold: ({ watcher }) => controls.hold(watcher.actor, 'a person acts in the page'),
      onChange: () => this.tell(),
      log,
      ...(limits ? { limits } : {}),
    });
    this.#pages = new RunPages({
      run,
      onChange: () => this.tell(),
      onClosed: (page) => this.#onPageClosed(page),
      log,
    });
  }

  get runId(): string {
    return this.#run.runId;
  }

  get viewers(): number {
    return this.#members.size;
  }

  /** Starts the capture for a viewer who is about to connect, and ends it again if none does. */
  expect(): void {
    const leave = this.#pages.acting.join(() => {});
    setTimeout(leave, EXPECTED_MS).unref();
  }

  /** The caller passes on what the connection receives, and calls `gone` at its end. */
  attach(pipe: Pipe, watcher: Watcher): Connection {
    if (this.#isEnded || this.#members.size >= MAX_VIEWERS) {
      pipe.close(this.#isEnded ? ENDED : FULL);
      return { receive: () => {}, ask: () => {}, gone: () => {}, hasEntered: () => false };
    }
    this.#lastId += 1;
    const id = this.#lastId;
    const viewer = new Viewer({
      pipe,
      hub: this.#pages.acting,
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

  /** Sends the present state to every viewer, soon. */
  tell(): void {
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      for (const member of this.#members.values()) member.pipe.say(this.#state(member));
    }, TELL_MS);
    this.#telling.unref();
  }

  /** The run has ended, or the agent ends. */
  end(reason: CloseReason): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#takeover.end();
    for (const { viewer } of this.#members.values()) viewer.close(reason);
    this.#pages.end();
    clearTimeout(this.#telling);
  }

  #remove(member: Member): void {
    this.#members.delete(member.id);
    this.#takeover.disconnected(member);
    this.#closeUnused();
    this.tell();
  }

  #onInput(member: Member, message: InputMessage): void {
    const { role, isDeaf } = member.watcher;
    if (isDeaf === true) return;
    if (role === 'operator') this.#takeover.use(member, message);
    else member.viewer.close(ONLY_WATCH);
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
        drop(this.#takeover.take(member), this.#log, 'taking over');
        break;
      case 'release':
        this.#takeover.release(member);
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

  async #lookAt(member: Member, pageId: number | null): Promise<void> {
    const page = this.#pages.find(pageId);
    const hub = await this.#pages.hubOf(page);
    if (!hub || member.viewer.isClosed) return;
    member.lookingAt = page;
    member.viewer.look(hub);
    this.#closeUnused();
    this.tell();
  }

  #onPageClosed(page: Page): void {
    for (const member of this.#members.values()) {
      if (member.lookingAt !== page) continue;
      member.lookingAt = null;
      member.viewer.look(this.#pages.acting);
    }
    this.#closeUnused();
    this.tell();
  }

  #closeUnused(): void {
    this.#pages.closeOthers(new Set([...this.#members.values()].map(({ lookingAt }) => lookingAt)));
  }

  #state(member: Member): LiveState {
    return {
      type: 'state',
      role: member.watcher.role,
      script: this.#run.scriptName,
      run: stateOf(this.#controls.paused()),
      waiting: this.#controls.waiting(),
      input: this.#takeover.stateFor(member),
      viewers: this.#members.size,
      pages: this.#pages.list(member.lookingAt),
    };
  }
}

function stateOf(paused: PauseState | null): LiveState['run'] {
  if (!paused) return 'running';
  if (!paused.isStanding) return 'pausing';
  return paused.kind === 'takeover' ? 'taken over' : 'paused';
}
