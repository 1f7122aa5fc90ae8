/**
 * Mouse and keyboard of a run in the hands of a person. The run is held while somebody has them; it continues only
 * after what the person typed is hidden from the evidence.
 */
import { drop } from '../base/drop.ts';
import type { Logger } from '../base/log.ts';
import type { Hold } from '../runs/pause-gate.ts';
import type { WatchableRun } from '../runs/watchable.ts';
import { InputLease, type ReleaseReason } from './input-lease.ts';
import { PageInput } from './input.ts';
import { notice, type Member } from './member.ts';
import type { LiveState } from './messages.ts';
import type { InputMessage } from './viewer.ts';

export interface TakeoverOptions {
  run: Pick<WatchableRun, 'context' | 'page' | 'personActs'>;
  /** Holds the run for the member; null: it has ended. */
  hold: (member: Member) => Hold | null;
  onChange: () => void;
  log: Logger;
  /** Of the input lease, for tests. */
  limits?: { graceMs: number; idleMs: number };
}

interface TakenOver {
  member: Member;
  hold: Hold;
  input: PageInput | null;
  /** Set once the run is held: nothing is recorded until it is called. */
  done: (() => Promise<void>) | null;
  isOver: boolean;
}

export class Takeover {
  readonly #options: TakeoverOptions;
  readonly #lease: InputLease;
  #taken: TakenOver | null = null;
  /** The lease is free before everything is given back; the next person waits for that. */
  #givingBack: Promise<void> = Promise.resolve();
  #isEnded = false;

  constructor(options: TakeoverOptions) {
    this.#options = options;
    this.#lease = new InputLease({
      onReleased: (reason) => this.#onReleased(reason),
      ...(options.limits ? { limits: options.limits } : {}),
    });
  }

  async take(member: Member): Promise<void> {
    const { run, hold: holdFor, onChange, log } = this.#options;
    await this.#givingBack;
    if (this.#isEnded || member.viewer.isClosed) return;
    const verdict = this.#lease.take({ id: member.id, keyId: member.watcher.keyId });
    if (verdict === 'refused') {
      notice(member, 'Somebody else has mouse and keyboard. They must give them back first.');
      return;
    }
    if (verdict === 'kept' && this.#taken) {
      this.#taken.member = member;
      onChange();
      return;
    }
    const hold = holdFor(member);
    if (!hold) {
      this.#lease.release(member.id, 'ended');
      return;
    }
    const taken: TakenOver = { member, hold, input: null, done: null, isOver: false };
    this.#taken = taken;
    onChange();
    drop(
      hold.over.then(() => this.#lease.release(taken.member.id, 'ended')),
      log,
      'giving back',
    );
    await hold.standing;
    if (taken.isOver) return;
    const done = await run.personActs();
    taken.done = done;
    // Given back in the meantime, before there was anything to call.
    if (taken.isOver) await done();
    else taken.input = this.#input(taken);
    onChange();
  }

  /** Acts in the page, if this member has mouse and keyboard. */
  use(member: Member, message: InputMessage): void {
    if (this.#lease.use(member.id)) this.#taken?.input?.do(message);
  }

  release(member: Member): void {
    this.#lease.release(member.id);
  }

  disconnected(member: Member): void {
    this.#lease.disconnected(member.id);
  }

  end(): void {
    this.#isEnded = true;
    this.#lease.end();
  }

  /** Mouse and keyboard, as this member sees them. */
  stateFor({ id, watcher }: Member): LiveState['input'] {
    const taken = this.#taken;
    if (!taken) return 'free';
    if (taken.member.id === id) return taken.input ? 'yours' : 'taking';
    // The member's own earlier connection is gone: this one may take over from it.
    return taken.member.viewer.isClosed && taken.member.watcher.keyId === watcher.keyId ? 'free' : 'other';
  }

  #input(taken: TakenOver): PageInput {
    const { run, log } = this.#options;
    return new PageInput({
      context: run.context,
      page: () => taken.member.lookingAt ?? run.page(),
      pictureWidth: () => taken.member.viewer.pictureWidth,
      onCopied: (text) => {
        taken.member.viewer.offerClipboard(text);
        taken.member.pipe.say({ type: 'clipboard', text });
      },
      log,
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
    drop(this.#givingBack, this.#options.log, 'giving back');
    this.#options.onChange();
  }

  async #giveBack({ input, done, hold }: TakenOver): Promise<void> {
    try {
      await input?.end();
      await done?.();
    } finally {
      hold.release();
      this.#options.onChange();
    }
  }
}
