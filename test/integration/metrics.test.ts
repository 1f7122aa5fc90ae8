/** What a real run leaves in the metrics and in the audit log of its agent. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openAgent } from '../../agent/agent.ts';
import { silentLogger } from '../../agent/base/log.ts';
import { startPortal } from '../../agent/sandbox/index.ts';
import { makeHome, removeHome } from '../fixtures/home.ts';

let home: string;

beforeEach(() => {
  home = makeHome('metrics');
});

afterEach(() => removeHome(home));

test('a run counts with its steps, its browser and its evidence, and whoever asked for it is in the log', async () => {
  const portal = await startPortal();
  const agent = await openAgent({
    home,
    env: {},
    log: silentLogger,
    uploads: 'none',
    keepWarm: false,
  });
  try {
    const script = { name: 'Counted', steps: [{ action: 'navigate', url: `${portal.url}/health` }] };
    const by = { kind: 'key', id: 'key-1', from: '127.0.0.1:5000' } as const;
    const outcome = await agent.engine.execute(
      { runId: 'r1', by, input: { kind: 'script', script } },
      { signal: new AbortController().signal },
    );
    expect(outcome.state).toBe('succeeded');
    const text = await agent.metrics.text();
    const value = (sample: string): number => {
      const line = text.split('\n').find((line) => line.startsWith(`browser_agent_${sample} `));
      return Number(line?.split(' ').at(-1));
    };
    expect(value('runs_total{state="succeeded",error=""}')).toBe(1);
    expect(value('run_duration_seconds_count{state="succeeded"}')).toBe(1);
    expect(value('steps_total{action="navigate",result="ok"}')).toBe(1);
    expect(value('browser_starts_total')).toBe(1);
    const artifacts = agent.runs.artifacts('r1');
    expect(value('artifacts_total{level="INFO"}')).toBe(artifacts.length);
    expect(value('artifact_bytes_total{level="INFO"}')).toBe(
      artifacts.reduce((total, { size_bytes }) => total + size_bytes, 0),
    );
    expect(value('open_runs{state="running"}')).toBe(0);
    expect(text).not.toContain('Counted');
    agent.metrics.request({ method: 'GET', route: '/x', status: 200, durationMs: 1, keyId: 'owner' });
    agent.metrics.awsCall({ service: 's3', result: 'ok', retries: 1 });
    compareWithPage(await agent.metrics.json());

    expect(agent.audit.list({ target: 'run/r1', limit: 9 })).toMatchObject([
      { action: 'run.end', by },
      { action: 'run.start', by },
    ]);
    expect(agent.audit.verify()).toMatchObject({ ok: true, rows: 2 });
  } finally {
    await agent.close();
    await portal.close();
  }
});

interface Measured {
  name: string;
  type: unknown;
  help: string;
  values: { labels: object }[];
}

/** docs/metrics.md has every metric with its type, meaning and labels, and none that is not there. */
function compareWithPage(measured: Measured[]): void {
  const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \|$/gm)].map(
    ([, name = '', type = '', labels = '', help = '']) => ({
      name,
      type,
      labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label!),
      help,
    }),
  );
  expect(rows.map(({ name, type, help }) => `${name} ${type}: ${help}`)).toEqual(
    measured.map(({ name, type, help }) => `${name} ${String(type)}: ${help}`),
  );
  for (const [index, { name, labels }] of rows.entries()) {
    for (const value of measured[index]!.values) {
      const seen = Object.keys(value.labels).filter((label) => label !== 'le');
      expect(seen.sort(), name).toEqual(labels.toSorted());
    }
  }
}
