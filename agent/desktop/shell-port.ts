/**
 * The line to the desktop's main process: Electron's utility process has a port for it, a process that was
 * spawned as Node has Node's own channel.
 */
import { readToAgent, type ToAgent, type ToShell } from '../base/shell-messages.ts';

export interface ShellPort {
  send(message: ToShell): void;
  /** `onGone`: the main process is no more. */
  listen(onMessage: (message: ToAgent) => void, onGone: () => void): void;
}

/** What Electron adds to `process` in a utility process. */
interface ParentPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { data: unknown }) => void): void;
}

/** @throws Error when this process was started by something else */
export function openShellPort(): ShellPort {
  const { parentPort } = process as { parentPort?: ParentPort };
  if (parentPort) {
    return {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, no window
      send: (message) => parentPort.postMessage(message),
      // Electron ends a utility process together with its parent.
      listen: (onMessage) => parentPort.on('message', ({ data }) => onMessage(readToAgent(data))),
    };
  }
  if (!process.send) {
    throw new Error(
      'This program is a part of the desktop app, which starts it. Without the app: local-browser-agent run',
    );
  }
  return {
    send: (message) => {
      if (process.connected) process.send!(message);
    },
    listen: (onMessage, onGone) => {
      process.on('message', (message) => onMessage(readToAgent(message)));
      process.on('disconnect', onGone);
    },
  };
}
