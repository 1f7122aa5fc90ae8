import { drop } from '../base/drop.ts';
import type { Logger } from '../base/log.ts';
import type { Processes, TrackedProcess } from '../browser/processes.ts';
import type { ProcessRegistry } from '../recording/types.ts';

/** Tracks the video encoder of a run as a child process of the agent, so that it cannot outlive the agent. */
export function ffmpegRegistry(processes: Pick<Processes, 'track'>, log: Logger): ProcessRegistry {
  const tracked = new Map<number, Promise<TrackedProcess>>();
  return {
    add: (pid) => {
      const tracking = processes.track({ kind: 'ffmpeg', pid });
      tracked.set(pid, tracking);
      drop(tracking, log, 'putting ffmpeg on record');
    },
    remove: (pid) => {
      const tracking = tracked.get(pid);
      tracked.delete(pid);
      if (!tracking) return;
      drop(
        tracking.then((process) => process.end()),
        log,
        'striking ffmpeg off the record',
      );
    },
  };
}
