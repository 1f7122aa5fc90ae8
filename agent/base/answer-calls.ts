import { parentPort } from 'node:worker_threads';
import { messageOf } from './errors.ts';
import type { Reply } from './on-demand-worker.ts';

/**
 * The program of a thread that an `OnDemandWorker` starts: answers each request with what `handle` returns.
 *
 * @param moved the parts of an answer that are moved to the caller instead of copied
 */
export function answerCalls<Answer>(
  handle: (request: never) => Answer | Promise<Answer>,
  moved: (answer: Answer) => ArrayBuffer[] = () => [],
): void {
  const port = parentPort;
  if (!port) throw new Error('this file is the program of a worker thread');
  const reply = async (request: unknown): Promise<void> => {
    let message: Reply<Answer>;
    let transfer: ArrayBuffer[] = [];
    try {
      const answer = await handle(request as never);
      message = { answer };
      transfer = moved(answer);
    } catch (thrown) {
      message = { problem: messageOf(thrown) };
    }
    port.postMessage(message, transfer);
  };
  port.on('message', (request: unknown) => void reply(request));
  port.postMessage({ isReady: true } satisfies Reply<Answer>);
}
