/** The sessions that are open in this process: opening, finding and ending them, and sending messages to them. */
import type { Actor } from '../base/actor.ts';
import type { Clock } from '../base/clock.ts';
import { AgentError } from '../base/errors.ts';
import { newRunId } from '../base/ids.ts';
import type { Logger } from '../base/log.ts';
import type { JsonObject, RecordingLevel, ResolvedLevel } from '../base/words.ts';
import { SESSION_PREFIX } from '../browser/profile-locks.ts';
import type { ProcessIdentity } from '../store/processes.ts';
import type { MessageRow, SessionEnd, SessionRow, SessionStore } from '../store/sessions.ts';
import type { BrowserSource } from './browser-source.ts';
import { refuseOtherProfile } from './kept-browser.ts';
import { KeptSession } from './kept-session.ts';
import { prepareScript } from './prepare.ts';
import type { ScriptLibrary } from './script-library.ts';
import type { RunSettings } from './settings.ts';
import type { RunExecutor, RunInput, RunRequest } from './types.ts';

/** Messages that wait in one session: more is better made one script. */
export const MAX_QUEUED_MESSAGES = 50;
/** Their scripts and variables as JSON: they are held in memory, and one may be as large as a request. */
const MAX_QUEUED_CHARACTERS = 4_000_000;
/** Opening a browser takes a second; on a machine that swaps, a minute. */
const OPEN_TIMEOUT_MS = 90_000;

export interface SessionSpec {
  /** Absent: a temporary one. */
  profile?: string;
  /** Absent: as the settings say. */
  headed?: boolean;
  level?: ResolvedLevel;
  /** For every message; its own come on top. */
  variables: JsonObject;
  idleMs: number;
  keyId: string;
  keyName: string;
  /** How many its key may have open; null: no limit but the machine's. */
  maxOfKey: number | null;
}

export type OpenResult =
  | { ok: true; session: SessionRow }
  | { ok: false; why: 'key' | 'machine'; limit: number };

export type SendResult =
  | { ok: true; message: MessageRow }
  | { ok: false; why: 'ended'; reason: SessionEnd | null; detail: string }
  | { ok: false; why: 'full' };

export interface BrowserSessionsOptions {
  store: SessionStore;
  browsers: BrowserSource;
  executor: RunExecutor;
  library: ScriptLibrary;
  settings: () => RunSettings;
  /** On this machine, at a time. */
  maxOpen: () => number;
  isKeyGood: (keyId: string) => boolean;
  self: ProcessIdentity;
  clock: Clock;
  log: Logger;
}

interface Open {
  keyId: string;
  session: KeptSession | null;
  spec: SessionSpec;
}

export class BrowserSessions {
  readonly #options: BrowserSessionsOptions;
  /** By id; those that are being opened too. */
  readonly #open = new Map<string, Open>();
  #isStopped = false;

  constructor(options: BrowserSessionsOptions) {
    this.#options = options;
  }

  get store(): SessionStore {
    return this.#options.store;
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Resolves when its browser is open.
   *
   * @throws AgentError ProfileNotFound, ProfileBusy, BrowserUnavailable, Draining
   */
  async open(spec: SessionSpec): Promise<OpenResult> {
    const { store, maxOpen } = this.#options;
    if (this.#isStopped) throw stopping();
    const ofKey = [...this.#open.values()].filter(({ keyId }) => keyId === spec.keyId).length;
    if (spec.maxOfKey !== null && ofKey >= spec.maxOfKey)
      return { ok: false, why: 'key', limit: spec.maxOfKey };
    if (this.#open.size >= maxOpen()) return { ok: false, why: 'machine', limit: maxOpen() };
    const sessionId = newRunId();
    const entry: Open = { keyId: spec.keyId, session: null, spec };
    this.#open.set(sessionId, entry);
    try {
      const session = await this.#start(sessionId, spec);
      entry.session = session;
      session.ended.then(
        () => this.#open.delete(sessionId),
        () => this.#open.delete(sessionId),
      );
      // Both may have come to pass while the browser was opened.
      if (this.#isStopped) await session.close('agent_stopped', STOPPED);
      else if (!this.#options.isKeyGood(spec.keyId)) await session.close('key_revoked', REVOKED);
    } catch (thrown) {
      this.#open.delete(sessionId);
      throw thrown;
    }
    const row = store.get(sessionId);
    if (!row) throw new Error(`session ${sessionId} was not stored`);
    return { ok: true, session: row };
  }

  /**
   * Puts a script at the end of the session's queue.
   *
   * @throws AgentError InvalidScript, InvalidInput; Error when there is no such session
   */
  async send(
    sessionId: string,
    message: { input: Extract<RunInput, { kind: 'script' | 'stored' }>; by: Actor },
  ): Promise<SendResult> {
    const { store, clock, library } = this.#options;
    const row = store.get(sessionId);
    if (!row) throw new Error(`there is no session ${sessionId}`);
    const entry = this.#open.get(sessionId);
    if (!entry?.session || entry.session.ending) return this.#ended(row, entry);
    const { level, variables } = entry.spec;
    const request: Omit<RunRequest, 'runId'> = {
      by: message.by,
      input: { ...message.input, variables: { ...variables, ...message.input.variables } },
      ...(level === undefined ? {} : { level }),
    };
    const messageId = newRunId();
    const { script } = await prepareScript({ ...request, runId: messageId }, library);
    if (entry.session.ending) return this.#ended(row, entry);
    refuseOtherProfile(script, row.profile);
    const { messages, characters } = entry.session.queued;
    const sizeCharacters = JSON.stringify(request.input).length;
    const isFull = messages >= MAX_QUEUED_MESSAGES || characters + sizeCharacters > MAX_QUEUED_CHARACTERS;
    if (isFull) return { ok: false, why: 'full' };
    store.addMessage({ messageId, sessionId, scriptName: script.name, now: clock.now() });
    entry.session.send({ messageId, request, sizeCharacters });
    const stored = store.message(sessionId, messageId);
    if (!stored) throw new Error(`message ${messageId} was not stored`);
    return { ok: true, message: stored };
  }

  #ended(row: SessionRow, entry: Open | undefined): SendResult {
    const { reason, detail } = entry?.session?.ending ?? {
      reason: row.end_reason,
      detail: row.end_detail ?? '',
    };
    return { ok: false, why: 'ended', reason, detail };
  }

  /** Resolves when the message has ended, after `waitMs`, or when the signal aborts, whichever is first. */
  async waitFor(sessionId: string, messageId: string, waitMs: number, signal: AbortSignal): Promise<void> {
    const ended = this.#open.get(sessionId)?.session?.whenEnded(messageId);
    if (!ended) return;
    const over = new AbortController();
    const waited = this.#options.clock.sleep(waitMs, AbortSignal.any([signal, over.signal]));
    await Promise.race([ended, waited.catch(() => undefined)]);
    over.abort();
  }

  /** Resolves when its browser is closed; one that has ended stays as it is. */
  async end(sessionId: string, reason: SessionEnd, detail: string): Promise<void> {
    await this.#open.get(sessionId)?.session?.close(reason, detail);
  }

  async endOfKey(keyId: string): Promise<void> {
    const ofKey = [...this.#open.values()].filter((entry) => entry.keyId === keyId);
    await Promise.all(ofKey.map(async ({ session }) => session?.close('key_revoked', REVOKED)));
  }

  /** Opens no more, and ends all: a run at work has until the deadline, then it is cancelled. */
  async stop({ deadlineMs }: { deadlineMs: number }): Promise<void> {
    this.#isStopped = true;
    const all = [...this.#open.values()];
    await Promise.all(all.map(async ({ session }) => session?.close('agent_stopped', STOPPED, deadlineMs)));
  }

  /** Writes down that those of processes that are gone have ended. */
  async recover(isAlive: (owner: ProcessIdentity) => Promise<boolean>): Promise<void> {
    const { store, clock } = this.#options;
    for (const row of store.list({ state: 'open', limit: Number.MAX_SAFE_INTEGER })) {
      if (this.#open.has(row.session_id)) continue;
      if (await isAlive({ pid: row.owner_pid, started: row.owner_started })) continue;
      store.end(row.session_id, { reason: 'agent_stopped', detail: STOPPED, now: clock.now() });
    }
  }

  async #start(sessionId: string, spec: SessionSpec): Promise<KeptSession> {
    const { browsers, store, executor, settings, isKeyGood, self, clock, log } = this.#options;
    const { browser, script } = settings();
    const opened = await browsers.open({
      session: {
        ...(spec.profile === undefined ? {} : { profile_name: spec.profile }),
        ...(spec.headed === undefined ? {} : { headless: !spec.headed }),
        allow_temp_profile: true,
        clone_for_parallel: false,
        requires_human_login: false,
        wait_for_human_login: false,
        ignore_https_errors: false,
      },
      runId: `${SESSION_PREFIX}${sessionId}`,
      browser,
      signal: AbortSignal.timeout(OPEN_TIMEOUT_MS),
      onWaiting: () => undefined,
      // Whoever holds the profile may hold it for hours: say so at once.
      waitMs: 0,
    });
    try {
      // What the owner of the machine forbids holds between messages, too.
      const { installPolicy } = await import('../browser/policy.ts');
      await installPolicy(opened.session.context, script.allowedDomains);
      const { keyId, keyName, idleMs } = spec;
      store.create({
        sessionId,
        keyId,
        keyName,
        profile: opened.profile,
        headed: !opened.session.headless,
        level: levelOf(spec),
        idleTimeoutMs: idleMs,
        owner: self,
        now: clock.now(),
      });
    } catch (thrown) {
      await opened.close();
      throw thrown;
    }
    return new KeptSession({
      sessionId,
      kept: { opened, page: null, secrets: new Set() },
      idleMs: spec.idleMs,
      store,
      executor,
      clock,
      log,
      isKeyGood: () => isKeyGood(spec.keyId),
    });
  }
}

const STOPPED = 'The agent was stopped.';
const REVOKED = 'The key that opened the session was revoked.';

function levelOf({ level }: SessionSpec): RecordingLevel | null {
  return level?.level ?? null;
}

function stopping(): AgentError {
  return new AgentError('BrowserAgent.Draining', 'The agent is ending and opens no new sessions.');
}
