/** Followers of events, in a process of their own. Started by events.ts. */
import { once } from 'node:events';
import { SseClient, WsClient, type EventClient } from '../fixtures/event-clients.ts';

export interface Follow {
  url: string;
  key: string;
  clientsOfEachKind: number;
  /** That a client loses its connection with an event. */
  breakChance: number;
}

/** All events that there were, when no more come. */
export interface Over {
  ids: number[];
}

export interface Followed {
  kind: EventClient['kind'];
  clients: number;
  connections: number;
  delivered: number;
  lost: number;
  outOfOrder: number;
  twice: number;
  p50Ms: number;
  p95Ms: number;
  maxMs: number;
}

/** For what is on its way when the last run is over, in milliseconds. */
const SETTLE_MS = 20_000;

if (process.send) {
  process.once('disconnect', () => process.exit());
  const [what] = (await once(process, 'message')) as [Follow];
  const done = await follow(what);
  process.send('following');
  const [{ ids }] = (await once(process, 'message')) as [Over];
  process.send(await done(ids));
}

async function follow(what: Follow): Promise<(ids: number[]) => Promise<Followed[]>> {
  const clients: EventClient[] = [];
  const timesMs: Record<EventClient['kind'], number[]> = { sse: [], ws: [] };
  let isOver = false;
  for (const Kind of [SseClient, WsClient]) {
    for (let number = 0; number < what.clientsOfEachKind; number += 1) {
      const client: EventClient = new Kind({
        url: what.url,
        key: what.key,
        after: 0,
        onEvent: (event) => {
          timesMs[client.kind].push(Date.now() - Date.parse(event.time));
          if (!isOver && Math.random() < what.breakChance) again(client);
        },
      });
      clients.push(client);
    }
  }
  for (const client of clients) await client.connect();
  // What was there before is no news.
  for (const times of Object.values(timesMs)) times.length = 0;
  return async (ids) => {
    isOver = true;
    const until = Date.now() + SETTLE_MS;
    while (Date.now() < until && clients.some(({ events }) => events.at(-1)?.id !== ids.at(-1))) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return (['sse', 'ws'] as const).map((kind) =>
      summary(
        clients.filter((client) => client.kind === kind),
        ids,
        timesMs[kind],
      ),
    );
  };
}

function again(client: EventClient): void {
  client.breakOff().catch(() => setTimeout(() => again(client), 100));
}

function summary(clients: EventClient[], ids: readonly number[], timesMs: number[]): Followed {
  timesMs.sort((a, b) => a - b);
  const percentile = (share: number): number =>
    timesMs[Math.min(timesMs.length - 1, Math.floor(timesMs.length * share))] ?? Number.NaN;
  let [connections, delivered, lost, outOfOrder, twice] = [0, 0, 0, 0, 0];
  for (const { events, connections: taken } of clients) {
    const seen = events.map(({ id }) => id);
    const known = new Set(seen);
    connections += taken;
    delivered += seen.length;
    twice += seen.length - known.size;
    lost += ids.filter((id) => !known.has(id)).length;
    outOfOrder += seen.filter((id, index) => index > 0 && id < seen[index - 1]!).length;
  }
  return {
    kind: clients[0]!.kind,
    clients: clients.length,
    connections,
    delivered,
    lost,
    outOfOrder,
    twice,
    p50Ms: percentile(0.5),
    p95Ms: percentile(0.95),
    maxMs: percentile(1),
  };
}
