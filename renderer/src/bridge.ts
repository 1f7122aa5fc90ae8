/** What the window's preload gives the page, as `window.localBrowserAgent`; undefined in a plain browser. */

/** How the agent is, as the window's main process sees its process. */
export type AgentConnection =
  | { state: 'starting' }
  /** `notice`: what happened before this start, for people, e.g. that the app was ended by force. */
  | { state: 'ready'; url: string; token: string; notice?: string }
  /** It ended and is started again after a while. */
  | { state: 'restarting'; problem: string }
  /** It is not started again by itself. */
  | { state: 'failed'; problem: string }
  | { state: 'draining' };

export interface LoginItem {
  /** It starts when the person signs in to the computer. */
  isOn: boolean;
  /** Why it may not, although it is on; empty when it will. */
  problem: string;
  /** Whether this build can set it at all. */
  isSettable: boolean;
}

export interface VaultProtection {
  /** In words, e.g. `the keychain of macOS`. */
  protection: string;
  isProtected: boolean;
}

export interface Bridge {
  readonly platform: string;
  readonly version: string;
  agent(): Promise<AgentConnection>;
  /** @returns what stops listening */
  onAgentChange(listener: (connection: AgentConnection) => void): () => void;
  /** Main asks the page to show a screen, e.g. `/runs/ID`. @returns what stops listening */
  onNavigate(listener: (path: string) => void): () => void;
  /** Starts the agent's process anew. */
  restartAgent(): Promise<void>;
  /** Opens a folder of the data directory in the file manager. @returns why not, or an empty text */
  openFolder(folder: { kind: 'run'; runId: string } | { kind: 'logs' } | { kind: 'home' }): Promise<string>;
  /** Opens an https address in the person's browser. @returns whether it may be opened */
  openExternal(url: string): Promise<boolean>;
  /** Asks where, and writes the file. @returns where it is; null when the person changed their mind */
  saveFile(file: { name: string; bytes: Uint8Array }): Promise<string | null>;
  getLoginItem(): Promise<LoginItem>;
  setLoginItem(isOn: boolean): Promise<LoginItem>;
  vault(): Promise<VaultProtection>;
}

declare global {
  interface Window {
    readonly localBrowserAgent?: Bridge;
  }
}

export const bridge: Bridge | undefined = window.localBrowserAgent;
