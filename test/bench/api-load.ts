/** The load on the API, in a process of its own: what asks must not cost what answers. Started by api.ts. */
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

async function apply({ url, token, paths, connections, durationSeconds, rate }: Load): Promise<LoadResult> {
  const timesMs: number[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<autocannon.Result>();
  const running = autocannon(
    {
      url,
      connections,
      duration: durationSeconds,
      headers: { authorization: `Bearer ${token}` },
      requests: paths.map((path) => ({ method: 'GET' as const, path })),
      ...(rate === null ? {} : { overallRate: rate }),
    },
    (thrown: Error | null, done) => (thrown ? reject(thrown) : resolve(done)),
  );
  // Its own histogram has no 95th percentile.
  running.on('response', (_client, _status, _bytes, timeMs) => timesMs.push(timeMs));
  const result = await promise;
  timesMs.sort((a, b) => a - b);
  const percentile = (share: number): number =>
    timesMs[Math.min(timesMs.length - 1, Math.floor(timesMs.length * share))] ?? Number.NaN;
  return {
    requests: timesMs.length,
    seconds: result.duration,
    errors: result.errors + result.timeouts + result.non2xx,
    p50Ms: percentile(0.5),
    p95Ms: percentile(0.95),
    p99Ms: percentile(0.99),
    maxMs: percentile(1),
  };
}
