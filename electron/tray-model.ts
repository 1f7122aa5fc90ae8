/** What the tray shows, made of how the agent is: no Electron in it. */
import type { AgentSnapshot } from '../agent/base/shell-messages.ts';
import { RECORDING_LEVELS, type RecordingLevel } from '../agent/base/words.ts';
import type { AgentConnection } from '../renderer/src/bridge.ts';

export const TRAY_STATES = ['idle', 'running', 'paused', 'person', 'offline', 'error'] as const;
export type TrayState = (typeof TRAY_STATES)[number];

export interface TrayView {
  state: TrayState;
  /** What a person reads who points at it. */
  tip: string;
  menu: TrayItem[];
}

export type TrayAction =
  | { do: 'open'; path?: string }
  | { do: 'pause' | 'resume' | 'drain' | 'start' | 'quit' }
  | { do: 'level'; level: RecordingLevel };

export type TrayItem =
  | { kind: 'separator' }
  | { kind: 'item'; label: string; action?: TrayAction; isChecked?: boolean }
  | { kind: 'menu'; label: string; items: TrayItem[] };

/** What each level keeps, in three words. */
const LEVEL_WORDS: Record<RecordingLevel, string> = {
  NONE: 'uploads nothing',
  ERROR: 'only failures',
  INFO: 'results',
  DEBUG: 'key steps',
  TRACE: 'everything, with video',
};

const MARKS: Record<string, string> = { succeeded: '✓', failed: '✗', cancelled: '–', lost: '?' };

export function trayView(connection: AgentConnection, snapshot: AgentSnapshot | null): TrayView {
  const state = trayState(connection, snapshot);
  return {
    state,
    tip: `Local Browser Agent: ${tipOf(state, connection, snapshot)}`,
    menu: menuOf(connection, snapshot),
  };
}

function trayState(connection: AgentConnection, snapshot: AgentSnapshot | null): TrayState {
  if (connection.state === 'failed' || connection.state === 'restarting') return 'error';
  if (!snapshot) return 'idle';
  if (snapshot.waiting.length > 0) return 'person';
  if (snapshot.failingServices.length > 0) return 'offline';
  if (snapshot.runs.length > 0) return 'running';
  return snapshot.worker === 'paused' ? 'paused' : 'idle';
}

function tipOf(state: TrayState, connection: AgentConnection, snapshot: AgentSnapshot | null): string {
  if (connection.state === 'draining') return 'finishing its work';
  if (!snapshot) return connection.state === 'failed' ? 'stopped, look at the window' : 'starting';
  const [run] = snapshot.runs;
  switch (state) {
    case 'person':
      return `needs you: ${snapshot.waiting[0]?.message ?? ''}`;
    case 'offline':
      return 'AWS cannot be reached; it is tried again';
    case 'running':
      return snapshot.runs.length === 1 ? `runs ${run?.scriptName ?? ''}` : `${snapshot.runs.length} runs`;
    case 'paused':
      return 'paused, takes no tasks';
    case 'error':
      return 'starting again';
    case 'idle':
      return snapshot.worker === 'none' ? 'not set up yet' : 'waiting for work';
    default:
      return state satisfies never;
  }
}

function menuOf(connection: AgentConnection, snapshot: AgentSnapshot | null): TrayItem[] {
  const separator: TrayItem = { kind: 'separator' };
  const open: TrayItem = { kind: 'item', label: 'Open', action: { do: 'open' } };
  const quit: TrayItem = { kind: 'item', label: 'Quit', action: { do: 'quit' } };
  if (!snapshot || connection.state !== 'ready') {
    const start: TrayItem[] =
      connection.state === 'failed'
        ? [{ kind: 'item', label: 'Start the agent again', action: { do: 'start' } }]
        : [];
    return [open, ...start, separator, quit];
  }
  const waiting = snapshot.waiting.map(({ runId, message }): TrayItem => ({
    kind: 'item',
    label: `Needs you: ${message}`,
    action: { do: 'open', path: `/runs/${runId}` },
  }));
  return [
    open,
    ...waiting,
    separator,
    ...workerItems(snapshot),
    { kind: 'menu', label: 'Recording level', items: levelItems(snapshot.level) },
    { kind: 'menu', label: 'Recent runs', items: recentItems(snapshot) },
    separator,
    quit,
  ];
}

function workerItems({ worker }: AgentSnapshot): TrayItem[] {
  if (worker === 'working' || worker === 'paused') {
    const isPaused = worker === 'paused';
    return [
      {
        kind: 'item',
        label: isPaused ? 'Resume' : 'Pause',
        action: { do: isPaused ? 'resume' : 'pause' },
      },
      { kind: 'item', label: 'Finish the runs, then stop', action: { do: 'drain' } },
    ];
  }
  return worker === 'none'
    ? [{ kind: 'item', label: 'Set up…', action: { do: 'open', path: '/setup' } }]
    : [{ kind: 'item', label: 'Finishing its work' }];
}

function levelItems(level: RecordingLevel): TrayItem[] {
  return RECORDING_LEVELS.map((each) => ({
    kind: 'item',
    label: `${each}: ${LEVEL_WORDS[each]}`,
    isChecked: each === level,
    action: { do: 'level', level: each },
  }));
}

function recentItems({ recent }: AgentSnapshot): TrayItem[] {
  if (recent.length === 0) return [{ kind: 'item', label: 'No run yet' }];
  return recent.map(({ runId, scriptName, state, endedAt }) => ({
    kind: 'item',
    label:
      `${MARKS[state] ?? ''} ${scriptName} ${new Date(endedAt).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}`.trim(),
    action: { do: 'open', path: `/runs/${runId}` },
  }));
}
