/** The names under which preload and main process speak; one for each function of the bridge. */
export const CHANNELS = {
  agent: 'lba:agent',
  restartAgent: 'lba:restart-agent',
  openFolder: 'lba:open-folder',
  openExternal: 'lba:open-external',
  saveFile: 'lba:save-file',
  getLoginItem: 'lba:get-login-item',
  setLoginItem: 'lba:set-login-item',
  vault: 'lba:vault',
} as const;

/** From the main process to the page. */
export const AGENT_CHANGED = 'lba:agent-changed';
export const NAVIGATE = 'lba:navigate';

/** The argument of the page's process that carries the version: a sandboxed preload has no other way. */
export const VERSION_ARGUMENT = '--lba-version=';

/** Scheme and host of the page: its origin is what the agent lets in. */
export const SCHEME = 'lba';
export const WINDOW_ORIGIN = 'lba://app';
