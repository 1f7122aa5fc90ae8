import { uuidv7 } from 'uuidv7';

/** A run's id, also its `session_id` in S3: unique, and sorts by time (UUID version 7, RFC 9562). */
export function newRunId(): string {
  return uuidv7();
}
