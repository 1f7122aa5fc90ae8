import { existsSync } from 'node:fs';
import { homePaths } from '../../base/paths.ts';
import { answerOf } from '../../client/client.ts';
import { reach } from '../../client/connect.ts';
import { openDatabase } from '../../store/database.ts';
import { UploadStore } from '../../store/uploads.ts';
import { AuditLog } from '../../audit/index.ts';
import { cliActor } from '../audit.ts';
import type { VerbOptions } from '../main-types.ts';
import { formatBytes, formatTime, note, printJson, printRows } from '../output.ts';

interface UploadsOptions extends VerbOptions {
  all?: boolean;
  retry?: boolean;
}

/** More rows than a person reads; `--json` callers page by run with `runs <id>`. */
const LISTED = 500;

/** The upload queue; `--retry` makes everything due now, also what was given up. */
export async function uploads(options: UploadsOptions): Promise<void> {
  const { database } = homePaths(options.home);
  if (!existsSync(database)) {
    if (options.json === true) printJson([]);
    else note(`No uploads yet in ${options.home}.`);
    return;
  }
  const db = openDatabase(database);
  try {
    const store = new UploadStore(db);
    if (options.retry === true) {
      const reached = reach(options.home);
      if (reached.state === 'open') {
        const { due } = await answerOf(reached.client.POST('/api/v1/uploads/retry', { body: {} }));
        note(`${due} uploads are due now, and the running agent is at them.`);
        return;
      }
      const now = Date.now();
      const count = store.wake({}, now) + store.reviveFailed(now);
      new AuditLog({ db }).append({
        by: cliActor(),
        action: 'uploads.retry',
        target: 'uploads',
        details: { count },
      });
      const who = reached.state === 'silent' ? 'the running agent' : 'the next agent that runs';
      note(`${count} uploads are due now; ${who} takes them within half a minute.`);
      return;
    }
    const rows = store.list({ limit: LISTED }).filter((row) => options.all === true || row.state !== 'done');
    if (rows.length === 0 && options.json !== true) {
      note(`Nothing waits. ${store.counts().done} uploads are done.`);
      return;
    }
    printRows(
      rows,
      [
        { title: 'state', value: (row) => row.state },
        { title: 'size', align: 'right', value: (row) => formatBytes(row.size_bytes) },
        { title: 'goes to', value: (row) => `s3://${row.bucket}/${row.key}` },
        { title: 'attempts', align: 'right', value: (row) => row.attempts },
        { title: 'next', value: (row) => (row.state === 'pending' ? formatTime(row.next_at) : null) },
        { title: 'last error', value: (row) => row.last_error },
      ],
      options.json === true,
    );
  } finally {
    db.close();
  }
}
