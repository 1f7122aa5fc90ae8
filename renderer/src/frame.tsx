/** What is around every screen: where to go, how the agent is, and whether it answers. */
import { AppShell, Box, Burger, Center, Group, Loader, NavLink, ScrollArea, Text } from '@mantine/core';
import { useDisclosure, useReducedMotion } from '@mantine/hooks';
import {
  IconFileCode,
  IconHome,
  IconListDetails,
  IconNotes,
  IconSettings,
  IconUserCircle,
  type TablerIcon,
} from '@tabler/icons-react';
import { lazy, Suspense, useEffect, useRef, type ReactNode } from 'react';
import { Link, Route, Switch, useLocation } from 'wouter';
import type { StreamState } from './api/events.ts';
import Home from './screens/home/home.tsx';
import { AgentPanel } from './ui/agent-panel.tsx';
import { ScreenBoundary } from './ui/screen-boundary.tsx';
import { LastLifeNotice } from './ui/last-life-notice.tsx';
import { StreamNotice } from './ui/stream-notice.tsx';
import { EmptyState } from './ui/empty-state.tsx';

// What most windows begin with is there at once; the rest comes when it is gone to.
const Runs = lazy(() => import('./screens/runs/runs.tsx'));
const Run = lazy(() => import('./screens/runs/run.tsx'));
const Scripts = lazy(() => import('./screens/scripts/scripts.tsx'));
const Profiles = lazy(() => import('./screens/profiles/profiles.tsx'));
const Settings = lazy(() => import('./screens/settings/settings.tsx'));
const Setup = lazy(() => import('./screens/setup/setup.tsx'));
const Log = lazy(() => import('./screens/log/log.tsx'));

const PLACES: readonly { path: string; label: string; icon: TablerIcon }[] = [
  { path: '/', label: 'Home', icon: IconHome },
  { path: '/runs', label: 'Runs', icon: IconListDetails },
  { path: '/scripts', label: 'Scripts', icon: IconFileCode },
  { path: '/profiles', label: 'Profiles', icon: IconUserCircle },
  { path: '/settings', label: 'Settings', icon: IconSettings },
  { path: '/log', label: 'Log', icon: IconNotes },
];

/** `stream`: null while there is no agent to speak to, whose place `instead` takes. */
export function Frame({ stream, instead }: { stream: StreamState | null; instead: ReactNode }): ReactNode {
  const [location] = useLocation();
  const isCalm = useReducedMotion();
  const [isOpen, { toggle, close }] = useDisclosure(false);
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  useEffect(() => {
    close();
    if (isFirst.current) isFirst.current = false;
    // A screen reader goes on where the new screen begins.
    else main.current?.focus({ preventScroll: true });
  }, [location, close]);
  return (
    <AppShell
      layout="alt"
      header={{ height: { base: 48, xs: 0 } }}
      navbar={{ width: { base: 208 }, breakpoint: 'xs', collapsed: { mobile: !isOpen } }}
      padding={{ base: 'md', md: 'lg' }}
      transitionDuration={isCalm ? 0 : 200}
    >
      <AppShell.Header hiddenFrom="xs">
        <Group h="100%" px="sm">
          <Burger opened={isOpen} onClick={toggle} size="sm" aria-label="Menu" aria-expanded={isOpen} />
          <Text fw={600}>Local Browser Agent</Text>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm" component="nav" aria-label="Screens">
        <Group justify="space-between" px="xs" pb="sm" wrap="nowrap">
          <Text fw={600} size="sm">
            Local Browser Agent
          </Text>
          <Burger opened={isOpen} onClick={toggle} hiddenFrom="xs" size="sm" aria-label="Close menu" />
        </Group>
        <AppShell.Section grow component={ScrollArea}>
          {PLACES.map(({ path, label, icon: Icon }) => {
            const isHere = path === '/' ? location === '/' : location.startsWith(path);
            return (
              <NavLink
                key={path}
                component={Link}
                href={path}
                label={label}
                leftSection={<Icon size={18} stroke={1.6} aria-hidden />}
                active={isHere}
                aria-current={isHere ? 'page' : undefined}
                my={2}
              />
            );
          })}
        </AppShell.Section>
        <AppShell.Section>{stream !== null && <AgentPanel />}</AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main ref={main} tabIndex={-1} style={{ outline: 'none' }}>
        {stream === null ? <Center mih="80vh">{instead}</Center> : <Screens stream={stream} />}
      </AppShell.Main>
    </AppShell>
  );
}

function Screens({ stream }: { stream: StreamState }): ReactNode {
  const [location] = useLocation();
  return (
    <>
      <StreamNotice state={stream} />
      <LastLifeNotice />
      <ScreenBoundary key={location.split('/')[1]}>
        <Suspense fallback={<Waiting />}>
          <Switch>
            <Route path="/" component={Home} />
            <Route path="/runs" component={Runs} />
            <Route path="/runs/:run_id" component={Run} />
            <Route path="/scripts/*?" component={Scripts} />
            <Route path="/profiles/*?" component={Profiles} />
            <Route path="/settings" component={Settings} />
            <Route path="/setup" component={Setup} />
            <Route path="/log" component={Log} />
            <Route>
              <EmptyState title="There is no such screen">
                <Link href="/">Go to Home</Link>
              </EmptyState>
            </Route>
          </Switch>
        </Suspense>
      </ScreenBoundary>
    </>
  );
}

function Waiting(): ReactNode {
  return (
    <Center mih={200}>
      <Box role="status" aria-label="Loading">
        <Loader />
      </Box>
    </Center>
  );
}
