/**
 * How the verbs `status`, `pause`, `resume` and `drain` reach the agent that works on the same data
 * directory: through rows in its database. The agent writes its status and looks for wishes; a verb
 * writes a wish and waits until it is taken.
 */
import { z } from 'zod';
import type { Clock } from './base/clock.ts';
import type { AgentStateStore } from './store/agent-state.ts';

/** How often the agent looks for wishes: soon enough for a person, nothing for the processor. */
const WATCH_MS = 500;
/** How long a verb waits for the agent to take its wish. */
const TAKE_MS = 5_000;

const STATUS_KEY = 'agent.status';
const WISH_KEY = 'agent.wish';

const statusSchema = z.object({
  pid: z.number(),
  started: z.string(),
  startedAt: z.number(),
  state: z.string(),
  detail: z.string(),
  activityArn: z.string().nullable(),
  runs: z.array(z.object({ runId: z.string(), taskId: z.string(), scriptName: z.string() })),
  waitingForPerson: z.array(z.object({ runId: z.string(), message: z.string() })),
});

export type AgentStatus = z.infer<typeof statusSchema>;

const wishSchema = z.discriminatedUnion('verb', [
  z.object({ verb: z.literal('pause') }),
  z.object({ verb: z.literal('resume') }),
  z.object({ verb: z.literal('drain') }),
  z.object({ verb: z.literal('resume-run'), runId: z.string() }),
]);

export type Wish = z.infer<typeof wishSchema>;

export class AgentControl {
  readonly #state: AgentStateStore;
  readonly #clock: Clock;

  constructor(options: { state: AgentStateStore; clock: Clock }) {
    this.#state = options.state;
    this.#clock = options.clock;
  }

  publish(status: AgentStatus): void {
    this.#state.set(STATUS_KEY, status, this.#clock.now());
  }

  /** What the agent said last; whether it still lives is for the caller to check by pid and start. */
  status(): { value: AgentStatus; updatedAt: number } | undefined {
    return this.#state.get(STATUS_KEY, statusSchema);
  }

  /** For the agent: calls back for each wish until the signal aborts; a database that fails is asked again. */
  async watch(
    take: (wish: Wish) => void,
    signal: AbortSignal,
    onProblem: (thrown: unknown) => void,
  ): Promise<void> {
    while (!signal.aborted) {
      try {
        const wish = this.#state.get(WISH_KEY, wishSchema);
        if (wish) {
          this.#state.delete(WISH_KEY);
          take(wish.value);
        }
      } catch (thrown) {
        onProblem(thrown);
      }
      try {
        await this.#clock.sleep(WATCH_MS, signal);
      } catch {
        return;
      }
    }
  }

  /** For a verb: true when the agent took the wish in time; otherwise the wish is withdrawn. */
  async wish(wish: Wish): Promise<boolean> {
    this.#state.set(WISH_KEY, wish, this.#clock.now());
    const deadline = this.#clock.monotonic() + TAKE_MS;
    while (this.#clock.monotonic() < deadline) {
      if (!this.#state.get(WISH_KEY, wishSchema)) return true;
      await this.#clock.sleep(50);
    }
    this.#state.delete(WISH_KEY);
    return false;
  }
}
