import { homedir, platform } from 'node:os';
import { join } from 'node:path';

/** Where everything of one agent lives. All of it is below `home`. */
export interface HomePaths {
  home: string;
  database: string;
  settings: string;
  /** One folder per run: `runs/<run_id>/`. */
  runs: string;
  /** One user data directory per profile: `profiles/<profile id>/`. */
  profiles: string;
  /** Temporary profiles; emptied at start. */
  temporary: string;
  scripts: string;
  /** The only folder that `upload` steps may read from. */
  files: string;
  downloads: string;
  logs: string;
  /** The agent's log; older parts have a number behind. */
  logFile: string;
  sandbox: string;
  /** What V8 made of the program's files, for the next start; may be deleted at any time. */
  compiled: string;
  /** Address and owner's key of the local API while it runs; for the agent's user alone. */
  api: string;
}

/** The data directory: `LBA_HOME`, else the platform's folder for application data. */
export function defaultHome(env: NodeJS.ProcessEnv = process.env): string {
  if (env['LBA_HOME']) return env['LBA_HOME'];
  const name = 'local-browser-agent';
  const os = platform();
  if (os === 'win32') return join(env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), name);
  if (os === 'darwin') return join(homedir(), 'Library', 'Application Support', name);
  return join(env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), name);
}

export function homePaths(home: string): HomePaths {
  return {
    home,
    database: join(home, 'agent.db'),
    settings: join(home, 'settings.yaml'),
    runs: join(home, 'runs'),
    profiles: join(home, 'profiles'),
    temporary: join(home, 'temporary'),
    scripts: join(home, 'scripts'),
    files: join(home, 'files'),
    downloads: join(home, 'downloads'),
    logs: join(home, 'logs'),
    logFile: join(home, 'logs', 'agent.log'),
    sandbox: join(home, 'sandbox'),
    compiled: join(home, 'compiled'),
    api: join(home, 'api.json'),
  };
}
