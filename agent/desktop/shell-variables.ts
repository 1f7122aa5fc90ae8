/**
 * Environment variables that a script may read (`script.allowed_env`). The main process gives each when it is asked
 * for, so that what its terminal exported is not in the environment of this process and of all that it starts.
 */
import { AgentError } from '../base/errors.ts';
import type { ToAgent, ToShell } from '../base/shell-messages.ts';

/** The main process answers from memory; a busy machine may take a moment. */
const ANSWER_MS = 10_000;

type Answer = Extract<ToAgent, { type: 'variable.answer' }>;

export class ShellVariables {
  readonly #send: (message: ToShell) => void;
  readonly #open = new Map<number, (value: string | null) => void>();
  #lastId = 0;

  constructor(send: (message: ToShell) => void) {
    this.#send = send;
  }

  /** Takes what came from the main process. */
  answer({ id, value }: Answer): void {
    this.#open.get(id)?.(value);
  }

  /** @returns undefined when it is not set */
  async read(name: string): Promise<string | undefined> {
    const id = ++this.#lastId;
    const answered = Promise.withResolvers<string | null>();
    const timer = setTimeout(() => {
      const message = `The environment variable ${name} could not be read: the desktop app did not answer in ${ANSWER_MS / 1_000} s. Run the task again.`;
      answered.reject(new AgentError('BrowserAgent.Internal', message));
    }, ANSWER_MS);
    this.#open.set(id, answered.resolve);
    this.#send({ type: 'variable.ask', id, name });
    try {
      return (await answered.promise) ?? undefined;
    } finally {
      clearTimeout(timer);
      this.#open.delete(id);
    }
  }
}
