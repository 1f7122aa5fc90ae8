import type { CDPSession } from 'playwright';
import { wait } from '../base/wait.ts';
import { CLOSE_MASKER, COUNT_MASKED, installMasker, updateMasker } from './masker-calls.ts';
import { passesBySwap, SWAP_ATTEMPTS, SWAP_RETRY_MS, type PageAnswers } from './page-answers.ts';
import { watchProblems, type PageProblem } from './page-problems.ts';
import { PASSWORD_BINDING, WORLD_NAME, type MaskerConfig } from './page/contract.ts';

/** Time for one script in a page, and for reaching it (ms). */
export const SCRIPT_TIMEOUT_MS = 5_000;

/** Resolves two frames later; hidden pages draw no frames, so after 100 ms at the latest. */
const DRAWN =
  'new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); setTimeout(done, 100); }).then(() => true)';

export interface PageTargetOptions {
  answers: PageAnswers;
  config: MaskerConfig;
  onPassword: (value: string) => void;
  onProblem: (problem: PageProblem) => void;
}

/**
 * One process of a page with its frames: our DevTools session, and the masker in the isolated world of each
 * frame. A frame of another process has a target of its own.
 */
export class PageTarget {
  readonly session: CDPSession;
  readonly #options: PageTargetOptions;
  #config: MaskerConfig;
  /** Execution contexts by frame. */
  readonly #worlds = new Map<string, number>();
  /** The script that new documents get. */
  #scriptId: string | undefined;
  #mainFrameId = '';

  constructor(session: CDPSession, options: PageTargetOptions) {
    this.session = session;
    this.#options = options;
    this.#config = options.config;
  }

  /** Installs the masker in the documents of this target. */
  async open(): Promise<void> {
    const { session } = this;
    const { onPassword, onProblem } = this.#options;
    this.#followWorlds();
    session.on('Runtime.bindingCalled', ({ name, payload }) => {
      if (name === PASSWORD_BINDING) onPassword(payload);
    });
    watchProblems(session, onProblem);
    const [{ frameTree }] = await Promise.all([
      session.send('Page.getFrameTree'),
      // Without it new documents do not get the script.
      session.send('Page.enable'),
      session.send('Runtime.enable'),
      session.send('Log.enable'),
      session.send('Runtime.addBinding', { name: PASSWORD_BINDING, executionContextName: WORLD_NAME }),
      this.#addScript(),
    ]);
    this.#mainFrameId = frameTree.frame.id;
  }

  /** The configured selectors that are not valid CSS. */
  async invalidSelectors(): Promise<string[]> {
    const answer = await this.evaluate<{ invalidSelectors: string[] }>(updateMasker(this.#config));
    return answer.invalidSelectors;
  }

  /** Applies a configuration to documents that are there and those to come. Returns invalid selectors. */
  async update(config: MaskerConfig): Promise<string[]> {
    this.#config = config;
    const old = this.#scriptId;
    await this.#addScript();
    if (old !== undefined) {
      await this.session.send('Page.removeScriptToEvaluateOnNewDocument', { identifier: old });
    }
    const answers = await Promise.all(this.#inWorlds<{ invalidSelectors: string[] }>(updateMasker(config)));
    return [...new Set(answers.flatMap(({ invalidSelectors }) => invalidSelectors))];
  }

  /** Resolves when everything that is drawn has the masks that are installed now. */
  async drawn(): Promise<void> {
    await Promise.allSettled(this.#inWorlds(DRAWN));
  }

  /** Hidden fields and passages; a frame that does not answer counts none. */
  async count(): Promise<number> {
    const counts = await Promise.allSettled(this.#inWorlds<number>(COUNT_MASKED));
    return counts.reduce((sum, count) => sum + (count.status === 'fulfilled' ? count.value : 0), 0);
  }

  async removeMaskers(): Promise<void> {
    await Promise.allSettled(this.#inWorlds(CLOSE_MASKER));
  }

  /** In the world of the main frame, which is made again when a navigation has just removed it. */
  async evaluate<T>(expression: string): Promise<T> {
    const frameId = this.#mainFrameId;
    for (let attempt = 1; ; attempt += 1) {
      const world = this.#worlds.get(frameId) ?? (await this.#makeWorld(frameId));
      try {
        return await this.#run<T>(world, expression);
      } catch (thrown) {
        if (attempt === SWAP_ATTEMPTS || !passesBySwap(thrown)) throw thrown;
        if (this.#worlds.get(frameId) === world) this.#worlds.delete(frameId);
        await wait(SWAP_RETRY_MS);
      }
    }
  }

  #followWorlds(): void {
    this.session.on('Runtime.executionContextCreated', ({ context }) => {
      if (context.name !== WORLD_NAME) return;
      const frameId = (context.auxData as { frameId?: string } | undefined)?.frameId;
      if (frameId !== undefined) this.#worlds.set(frameId, context.id);
    });
    this.session.on('Runtime.executionContextDestroyed', ({ executionContextId }) => {
      for (const [frameId, id] of this.#worlds) {
        if (id === executionContextId) this.#worlds.delete(frameId);
      }
    });
    this.session.on('Runtime.executionContextsCleared', () => this.#worlds.clear());
  }

  #inWorlds<T>(expression: string): Promise<T>[] {
    return [...this.#worlds.values()].map((world) => this.#run<T>(world, expression));
  }

  /** Runs at once in documents that are there, and before all other scripts in those to come. */
  async #addScript(): Promise<void> {
    const { identifier } = await this.session.send('Page.addScriptToEvaluateOnNewDocument', {
      source: installMasker(this.#config),
      worldName: WORLD_NAME,
      runImmediately: true,
    });
    this.#scriptId = identifier;
  }

  async #makeWorld(frameId: string): Promise<number> {
    const { executionContextId } = await this.session.send('Page.createIsolatedWorld', {
      frameId,
      worldName: WORLD_NAME,
    });
    await this.#run(executionContextId, installMasker(this.#config));
    return executionContextId;
  }

  async #run<T>(world: number, expression: string): Promise<T> {
    const asked = this.session.send('Runtime.evaluate', {
      expression,
      contextId: world,
      returnByValue: true,
      awaitPromise: true,
    });
    const answer = await this.#options.answers.within(SCRIPT_TIMEOUT_MS, 'the page', asked);
    const { result, exceptionDetails } = answer;
    if (exceptionDetails) {
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    }
    return result.value as T;
  }
}
