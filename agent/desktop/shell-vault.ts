/** Credentials as the desktop's main process keeps them: encrypted by the operating system. */
import { AgentError } from '../base/errors.ts';
import type { ToAgent, ToShell, VaultVerb } from '../base/shell-messages.ts';
import type { FileVault, Vault } from '../config/vault.ts';

/** A keychain may ask the person first. */
const ANSWER_MS = 120_000;

type Answer = Extract<ToAgent, { type: 'vault.answer' }>;

export class ShellVault implements Vault {
  readonly protection: string;
  readonly #send: (message: ToShell) => void;
  readonly #open = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  constructor(options: { protection: string; send: (message: ToShell) => void }) {
    this.protection = options.protection;
    this.#send = options.send;
  }

  /** What came from the main process. */
  answer(answer: Answer): void {
    this.#open.get(answer.id)?.(answer);
  }

  async get(name: string): Promise<string | undefined> {
    return (await this.#ask('get', name)) ?? undefined;
  }

  async set(name: string, value: string): Promise<void> {
    await this.#ask('set', name, value);
  }

  async delete(name: string): Promise<void> {
    await this.#ask('delete', name);
  }

  async #ask(verb: VaultVerb, name: string, value: string | null = null): Promise<string | null> {
    const id = ++this.#lastId;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve, reject) => {
        const fail = (why: string): void =>
          reject(
            new AgentError(
              'BrowserAgent.Internal',
              `The operating system's keychain did not ${verb} ${name}: ${why}. Unlock it, then try again.`,
            ),
          );
        timer = setTimeout(() => fail(`no answer in ${ANSWER_MS / 1_000} s`), ANSWER_MS);
        this.#open.set(id, ({ value, problem }) => (problem === null ? resolve(value) : fail(problem)));
        this.#send({ type: 'vault.ask', id, verb, name, value });
      });
    } finally {
      clearTimeout(timer);
      this.#open.delete(id);
    }
  }
}

/**
 * Moves what a file holds from before into `vault`: each name is read back before the file loses it.
 * @returns the names that were moved
 */
export async function moveSecrets(file: FileVault, vault: Vault): Promise<string[]> {
  const moved: string[] = [];
  for (const name of await file.names()) {
    const value = await file.get(name);
    if (value === undefined) continue;
    // What was stored since, with the desktop, is newer than the file.
    if ((await vault.get(name)) === undefined) {
      await vault.set(name, value);
      if ((await vault.get(name)) !== value) continue;
    }
    await file.delete(name);
    moved.push(name);
  }
  return moved;
}
