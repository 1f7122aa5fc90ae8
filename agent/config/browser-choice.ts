import type { Settings } from './schema.ts';

/** Which browser the settings choose, as the browser's folder takes it; empty: it looks for one itself. */
export function browserChoice({ channel, executable_path: executablePath }: Settings['browser']): {
  channel?: string;
  executablePath?: string;
} {
  return {
    ...(channel === null ? {} : { channel }),
    ...(executablePath === null ? {} : { executablePath }),
  };
}
