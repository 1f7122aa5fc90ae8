/** An event as it goes out, made once for all who get it. */
import type { EventRow } from '../store/events.ts';
import { PRIORITIES } from './published.ts';

export interface WireEvent {
  readonly id: number;
  readonly type: string;
  /** Place in {@link PRIORITIES}. */
  readonly priority: number;
  readonly runId: string | null;
  /** JSON text. */
  readonly json: string;
}

export function wireEvent(row: EventRow): WireEvent {
  const head = JSON.stringify({
    id: row.id,
    type: row.type,
    priority: PRIORITIES[row.priority] ?? 'normal',
    source: row.source,
    correlation_id: row.correlation_id,
    time: new Date(row.time).toISOString(),
  });
  return {
    id: row.id,
    type: row.type,
    priority: row.priority,
    runId: row.correlation_id,
    // The payload is JSON already.
    json: `${head.slice(0, -1)},"payload":${row.payload}}`,
  };
}
