/** The page: its look, the connection to the agent, and which screen is shown. */
import { Center, MantineProvider } from '@mantine/core';
import { ModalsProvider } from '@mantine/modals';
import { Notifications } from '@mantine/notifications';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { useEffect, useMemo, useState, type ReactNode } from 'react';
import { Router } from 'wouter';
import { navigate, useHashLocation } from './location.ts';
import { ApiContext, createApi, type Api } from './api/api.ts';
import { useConnection } from './api/connection.ts';
import { EventContext, EventStream, type StreamState } from './api/events.ts';
import { ApiProblem } from '../../agent/client/problem.ts';
import { bridge } from './bridge.ts';
import { Frame } from './frame.tsx';
import { theme } from './theme.ts';
import { NotConnected } from './ui/not-connected.tsx';

/** A question that fails is asked again so often, unless the agent refused it. */
const RETRIES = 3;

export function App(): ReactNode {
  useEffect(() => bridge?.onNavigate((path) => navigate(path)), []);
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <ModalsProvider>
        <Notifications position="bottom-right" limit={3} />
        <Router hook={useHashLocation}>
          <Connected />
        </Router>
      </ModalsProvider>
    </MantineProvider>
  );
}

function Connected(): ReactNode {
  const connection = useConnection();
  const url = connection.state === 'ready' ? connection.url : null;
  const token = connection.state === 'ready' ? connection.token : null;
  const api = useMemo(
    () => (url === null || token === null ? null : createApi({ url, token })),
    [url, token],
  );
  const queries = useMemo(() => newQueryClient(), []);
  const [stream, streamState] = useStream(api, queries);
  // While it starts, where to go can be chosen already.
  if (!api && connection.state !== 'starting') {
    return (
      <Center h="100vh" p="lg" component="main">
        <NotConnected connection={connection} />
      </Center>
    );
  }
  return (
    <QueryClientProvider client={queries}>
      <ApiContext value={api}>
        <EventContext value={stream}>
          <Frame stream={api && streamState} instead={<NotConnected connection={connection} />} />
        </EventContext>
      </ApiContext>
    </QueryClientProvider>
  );
}

/** The agent's events, as long as there is an agent. */
function useStream(api: Api | null, queries: QueryClient): [EventStream | null, StreamState] {
  const [state, setState] = useState<StreamState>('connecting');
  const [stream, setStream] = useState<EventStream | null>(null);
  useEffect(() => {
    if (!api) return undefined;
    const made = new EventStream(api, queries, setState);
    setStream(made);
    // Another agent process than before may know other things.
    void queries.invalidateQueries();
    return () => {
      made.close();
      setStream(null);
      setState('connecting');
    };
  }, [api, queries]);
  return [stream, state];
}

function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // Events say when something is old.
        staleTime: 30_000,
        retry: (count, thrown) => !(thrown instanceof ApiProblem) && count < RETRIES,
      },
    },
  });
}
