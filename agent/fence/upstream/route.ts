/** How connections leave this machine: directly, or through a proxy of the system or the settings. */
import type { HostTarget } from '../../base/host-pattern.ts';

export interface Proxy {
  kind: 'proxy';
  protocol: 'http' | 'https' | 'socks4' | 'socks5';
  host: string;
  port: number;
  /** Null: none is known. */
  credentials: { username: string; password: string } | null;
}

export type Route = { kind: 'direct' } | Proxy;

export interface Router {
  /** In the order in which to try them; at least one. */
  routes(target: HostTarget): Promise<readonly Route[]>;
}

export const DIRECT: Route = { kind: 'direct' };
