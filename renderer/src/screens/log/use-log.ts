/** Lines of the log: the newest that are kept, and what is written from then on. */
import { createEventSource } from 'eventsource-client';
import { useCallback, useEffect, useRef, useState } from 'react';
import { answerOf } from '../../../../agent/client/client.ts';
import { useApi, type Api, type Shapes } from '../../api/api.ts';

/** `id` is of this page alone; greater is newer. */
export type LogLine = Shapes['LogLine'] & { id: number };

export interface LogFilter {
  level: Shapes['LogLine']['level'] | null;
  q: string;
  runId: string | null;
}

interface Lines {
  /** Oldest first. */
  items: readonly LogLine[];
  olderCursor: string | null;
  isKept: boolean;
}

/** Shown at most; older ones go, and come back with "Show older lines". */
const MAX_LINES = 5_000;

const PAGE = 200;

/** Lines come faster than a page can be drawn; in milliseconds. */
const DRAW_MS = 150;

export function useLog({ level, q, runId }: LogFilter): {
  lines: Lines | null;
  error: unknown;
  /** Lines that the page was too slow for. */
  lost: number;
  older: () => Promise<void>;
  retry: () => void;
} {
  const api = useApi();
  const [lines, setLines] = useState<Lines | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [lost, setLost] = useState(0);
  const [attempt, setAttempt] = useState(0);
  const ids = useRef({ first: 0, last: 0 });

  useEffect(() => {
    let isOver = false;
    let waiting: Shapes['LogLine'][] = [];
    let isLoaded = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    setLines(null);
    setError(null);
    setLost(0);
    const numbered = (items: readonly Shapes['LogLine'][]): LogLine[] =>
      items.map((line) => ({ ...line, id: (ids.current.last += 1) }));
    const draw = (): void => {
      timer = undefined;
      const added = numbered(waiting);
      waiting = [];
      setLines((before) => before && { ...before, items: [...before.items, ...added].slice(-MAX_LINES) });
    };
    const load = async (): Promise<void> => {
      isLoaded = false;
      const answer = await page(api, { level, q, runId }, null);
      if (isOver) return;
      const known = new Set(answer.items.map(keyOf));
      waiting = waiting.filter((line) => !known.has(keyOf(line)));
      isLoaded = true;
      setLines({
        items: numbered(answer.items.toReversed()),
        olderCursor: answer.next_cursor,
        isKept: answer.is_kept,
      });
      if (waiting.length > 0) draw();
    };
    const source = createEventSource({
      url: `${api.url}/api/v1/log/follow?${queryOf({ level, q, runId })}`,
      headers: { authorization: `Bearer ${api.token}` },
      // Followed first, then read: no line is missed between the two, not after a break either.
      onConnect: () => {
        load().catch((thrown: unknown) => {
          if (!isOver) setError(thrown);
        });
      },
      onMessage: ({ event, data }) => {
        const told: unknown = JSON.parse(data);
        if (event === 'lost') setLost((count) => count + (told as { lines: number }).lines);
        if (event !== 'line') return;
        waiting.push(told as Shapes['LogLine']);
        if (isLoaded) timer ??= setTimeout(draw, DRAW_MS);
      },
    });
    return () => {
      isOver = true;
      clearTimeout(timer);
      source.close();
    };
  }, [api, level, q, runId, attempt]);

  const cursor = lines?.olderCursor ?? null;
  const older = useCallback(async () => {
    if (cursor === null) return;
    try {
      const answer = await page(api, { level, q, runId }, cursor);
      const items = answer.items.map((line) => ({ ...line, id: (ids.current.first -= 1) })).toReversed();
      setLines(
        (before) =>
          before && { ...before, items: [...items, ...before.items], olderCursor: answer.next_cursor },
      );
    } catch (thrown) {
      setError(thrown);
    }
  }, [api, cursor, level, q, runId]);

  return { lines, error, lost, older, retry: () => setAttempt((count) => count + 1) };
}

async function page({ client }: Api, { level, q, runId }: LogFilter, cursor: string | null) {
  return answerOf(
    client.GET('/api/v1/log', {
      params: {
        query: {
          limit: PAGE,
          ...(level === null ? {} : { level }),
          ...(q === '' ? {} : { q }),
          ...(runId === null ? {} : { run_id: runId }),
          ...(cursor === null ? {} : { cursor }),
        },
      },
    }),
  );
}

function queryOf({ level, q, runId }: LogFilter): string {
  const query = new URLSearchParams();
  if (level !== null) query.set('level', level);
  if (q !== '') query.set('q', q);
  if (runId !== null) query.set('run_id', runId);
  return query.toString();
}

/** Lines have no id: one that is both followed and read is known by what it says. */
function keyOf({ time, message, run_id, fields }: Shapes['LogLine']): string {
  return `${time} ${run_id ?? ''} ${message} ${JSON.stringify(fields)}`;
}
