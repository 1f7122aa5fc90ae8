/** The load on the API, in a process of its own: what asks must not cost what answers. Started by api.ts. */
import { Agent, request as httpRequest } from 'node:http';
import autocannon from 'autocannon';

export interface Load {
  url: string;
  token: string;
  paths: string[];
  connections: number;
  durationSeconds: number;
  /** Of all connections together, a second; null: each asks again as soon as it is answered. */
  rate: number | null;
}

export interface LoadResult {
  requests: number;
  seconds: number;
  /** No answer, or one that is not 2xx. */
  errors: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  maxMs: number;
}

interface Measured {
  timesMs: number[];
  seconds: number;
  errors: number;
}

/** What a program takes to run as fast as it can; not counted. */
const WARM_UP_SECONDS = 3;
/** A request without an answer by then has failed. */
const TIMEOUT_MS = 10_000;

if (process.send) {
  process.once('message', (load: Load) => {
    apply(load).then(
      (result) => process.send!(result),
      (thrown: unknown) => {
        throw thrown;
      },
    );
  });
  process.once('disconnect', () => process.exit());
}

async function apply(load: Load): Promise<LoadResult> {
  const { timesMs, seconds, errors } = await (load.rate === null ? flatOut(load) : paced(load, load.rate));
  timesMs.sort((a, b) => a - b);
  const percentile = (share: number): number =>
    timesMs[Math.min(timesMs.length - 1, Math.floor(timesMs.length * share))] ?? Number.NaN;
  return {
    requests: timesMs.length,
    seconds,
    errors,
    p50Ms: percentile(0.5),
    p95Ms: percentile(0.95),
    p99Ms: percentile(0.99),
    maxMs: percentile(1),
  };
}

async function flatOut({ url, token, paths, connections, durationSeconds }: Load): Promise<Measured> {
  const timesMs: number[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<autocannon.Result>();
  const running = autocannon(
    {
      url,
      connections,
      duration: durationSeconds,
      headers: { authorization: `Bearer ${token}` },
      requests: paths.map((path) => ({ method: 'GET' as const, path })),
    },
    (thrown: Error | null, done) => (thrown ? reject(thrown) : resolve(done)),
  );
  // Its own histogram has no 95th percentile.
  running.on('response', (_client, _status, _bytes, timeMs) => timesMs.push(timeMs));
  const { errors, timeouts, non2xx, duration } = await promise;
  return { timesMs, seconds: duration, errors: errors + timeouts + non2xx };
}

/**
 * Each connection's turn comes at even distances. Counted from when a request was due: one that waits for
 * the answer to the one before has waited. (Autocannon's rate is a burst at the begin of each second.)
 */
async function paced(
  { url, token, paths, connections, durationSeconds }: Load,
  rate: number,
): Promise<Measured> {
  const clients = Array.from({ length: connections }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  const { hostname, port } = new URL(url);
  const headers = { authorization: `Bearer ${token}` };
  const timesMs: number[] = [];
  let errors = 0;
  const one = async (index: number, dueMs: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const agent = clients[index % connections]!;
    // By the round, so that each client asks for everything in turn.
    const path = paths[(index + Math.floor(index / connections)) % paths.length]!;
    httpRequest({ hostname, port, path, headers, agent, timeout: TIMEOUT_MS }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode === 200));
      answer.on('error', () => resolve(false));
    })
      .on('timeout', function (this: ReturnType<typeof httpRequest>) {
        this.destroy(new Error('no answer'));
      })
      .on('error', () => resolve(false))
      .end();
    if (!(await promise)) errors += 1;
    else if (index >= rate * WARM_UP_SECONDS) timesMs.push(performance.now() - dueMs);
  };
  const begin = performance.now();
  const all: Promise<void>[] = [];
  const total = rate * (WARM_UP_SECONDS + durationSeconds);
  while (all.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - begin) * rate) / 1_000));
    while (all.length < due) all.push(one(all.length, begin + (all.length * 1_000) / rate));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(all);
  const seconds = (performance.now() - begin) / 1_000 - WARM_UP_SECONDS;
  for (const client of clients) client.destroy();
  return { timesMs, seconds, errors };
}
