/**
 * Loaded into the agent's process by soak.ts: at SIGUSR2 it collects garbage and writes what only the process
 * itself can tell into the file that `LBA_SOAK_PROBE` names.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface ProbeReport {
  /** After a full garbage collection. */
  heapBytes: number;
  /** Listeners of `process`, of all its events together. */
  processListeners: number;
  /** Timers, sockets, requests that keep the event loop alive. */
  activeResources: number;
}

const file = process.env['LBA_SOAK_PROBE'];
if (file !== undefined) {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  process.on('SIGUSR2', () => {
    collectGarbage();
    const report: ProbeReport = {
      heapBytes: process.memoryUsage().heapUsed,
      processListeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
      activeResources: process.getActiveResourcesInfo().length,
    };
    // Whole when it is seen.
    writeFileSync(`${file}.new`, JSON.stringify(report));
    renameSync(`${file}.new`, file);
  });
}
