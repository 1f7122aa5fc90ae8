import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../base/log.ts';
import { openDatabase, type Database } from '../store/database.ts';
import { AgentTrail, AuditLog } from './index.ts';

let db: Database;
let audit: AuditLog;

beforeEach(() => {
  db = openDatabase(':memory:');
  audit = new AuditLog({ db });
});

afterEach(() => {
  if (db.open) db.close();
});

test('start, removed runs and stop are entries of the agent itself', () => {
  const trail = new AgentTrail({ audit, activityArn: null, log: silentLogger });
  trail.started('desk');
  trail.runsRemoved([{ runId: 'r1', reason: 'age', sizeBytes: 7, isInS3: true }]);
  trail.stopped('drained');
  expect(audit.list({ limit: 10 }).toReversed()).toMatchObject([
    { action: 'agent.start', target: 'api', by: { kind: 'system' }, details: { worker: 'desk' } },
    {
      action: 'runs.remove',
      details: { count: 1, runs: [{ run_id: 'r1', reason: 'age', size_bytes: 7, in_s3: true }] },
    },
    { action: 'agent.stop', details: { reason: 'drained' } },
  ]);
});

test('an entry lists at most 100 removed runs and counts all of them', () => {
  const trail = new AgentTrail({ audit, activityArn: 'arn:x', log: silentLogger });
  trail.runsRemoved(
    Array.from({ length: 130 }, (_, n) => ({ runId: `r${n}`, reason: 'size', sizeBytes: 1, isInS3: false })),
  );
  const [entry] = audit.list({ limit: 1 });
  expect(entry).toMatchObject({ target: 'activity/arn:x', details: { count: 130 } });
  expect(entry?.details?.['runs']).toHaveLength(100);
});

test('an audit log that cannot be written does not stop the agent', () => {
  const trail = new AgentTrail({ audit, activityArn: null, log: silentLogger });
  db.close();
  expect(() => trail.started('desk')).not.toThrow();
});
