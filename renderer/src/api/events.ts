/** The agent's events: they make what is shown fresh, and screens can listen to them. */
import type { QueryClient } from '@tanstack/react-query';
import { createEventSource, type EventSourceClient } from 'eventsource-client';
import { createContext, useContext, useEffect, useRef } from 'react';
import type { EventGroup } from '../../../agent/journal/published.ts';
import type { Api } from './api.ts';

export interface AgentEvent {
  id: string;
  type: string;
  data: Record<string, unknown>;
}

type Listener = (event: AgentEvent) => void;

/** Whether events come; while they do not, what is shown may be old. */
export type StreamState = 'connecting' | 'open';

/** What is shown is made fresh at most this often, in milliseconds: a run has many events a second. */
const REFRESH_MS = 400;

/** Which answers an event makes stale, by the first part of its type: parts of the paths of queries. */
const STALE: Record<EventGroup, readonly string[]> = {
  run: ['/runs', '/summary', '/agent', '/profiles'],
  step: ['/runs', '/summary'],
  human: ['/runs', '/summary'],
  upload: ['/uploads', '/runs', '/summary', '/health'],
  agent: ['/agent', '/health', '/summary', '/setup', '/settings', '/recording'],
  setup: ['/setup'],
};

export class EventStream {
  readonly #source: EventSourceClient;
  readonly #listeners = new Set<Listener>();
  readonly #queries: QueryClient;
  readonly #stale = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wasOpen = false;

  constructor(api: Api, queries: QueryClient, onState: (state: StreamState) => void) {
    this.#queries = queries;
    this.#source = createEventSource({
      url: `${api.url}/api/v1/events`,
      headers: { authorization: `Bearer ${api.token}` },
      onConnect: () => {
        onState('open');
        // What happened meanwhile was not heard.
        if (this.#wasOpen) void queries.invalidateQueries();
        this.#wasOpen = true;
      },
      onDisconnect: () => onState('connecting'),
      onScheduleReconnect: () => onState('connecting'),
      onMessage: ({ id, event, data }) => this.#onEvent(event ?? 'message', id ?? '', data),
    });
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#source.close();
  }

  #onEvent(type: string, id: string, text: string): void {
    const event = { id, type, data: JSON.parse(text) as Record<string, unknown> };
    for (const listener of this.#listeners) listener(event);
    for (const part of STALE[type.split('.')[0] as EventGroup] ?? []) this.#stale.add(part);
    this.#timer ??= setTimeout(() => this.#refresh(), REFRESH_MS);
  }

  #refresh(): void {
    this.#timer = undefined;
    const parts = [...this.#stale];
    this.#stale.clear();
    void this.#queries.invalidateQueries({
      predicate: ({ queryKey }) =>
        typeof queryKey[1] === 'string' &&
        parts.some((part) => (queryKey[1] as string).startsWith(`/api/v1${part}`)),
    });
  }
}

export const EventContext = createContext<EventStream | null>(null);

/** Calls `listener` with each event while the component is there. */
export function useAgentEvents(listener: Listener): void {
  const stream = useContext(EventContext);
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => stream?.listen((event) => latest.current(event)), [stream]);
}
