/**
 * Who may speak to the API at all, before any key is looked at. A page on the internet can make the
 * person's browser send requests to this machine: by a name of its own that it points here (DNS rebinding;
 * then `Host` is that name), or straight (then `Origin` is that page).
 */
import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { isLoopback } from '../base/loopback.ts';
import { ApiError } from './problem.ts';

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

export interface GuardOptions {
  /** The address that the server listens on. */
  host: string;
  tls: boolean;
  allowedOrigins: readonly string[];
}

export type Guard = (request: Pick<FastifyRequest, 'headers'>) => void;

/** @returns a check that throws what a request from elsewhere is answered with */
export function createGuard({ host, tls, allowedOrigins }: GuardOptions): Guard {
  const origins = new Set(allowedOrigins.map(originOf));
  const names = new Set([
    ...LOOPBACK_NAMES,
    isIP(host) === 6 ? `[${host}]` : host.toLowerCase(),
    // The window's own scheme names nothing that a `Host` could be.
    ...[...origins].filter((origin) => origin.startsWith('http')).map((origin) => new URL(origin).hostname),
  ]);
  // An address cannot be pointed elsewhere, so it is no way for rebinding; only where others may come at all.
  const anyAddress = !isLoopback(host);
  const scheme = tls ? 'https' : 'http';

  return ({ headers }) => {
    const authority = (headers.host ?? '').toLowerCase();
    const name = nameOf(authority);
    if (name === undefined || !(names.has(name) || (anyAddress && isAddress(name)))) {
      throw new ApiError(421, 'BrowserAgent.Forbidden', 'This is not a name of this API.', {
        hint: 'Use the address in api.json of the data directory, or list your name in api.allowed_origins.',
      });
    }
    const { origin } = headers;
    if (origin === undefined) return;
    if (origin !== `${scheme}://${authority}` && !origins.has(origin)) {
      throw new ApiError(403, 'BrowserAgent.Forbidden', 'Pages of this origin may not use this API.', {
        hint: 'The owner of this machine can list the origin in api.allowed_origins.',
      });
    }
  };
}

/** As a browser sends it, of the window's own scheme too: the URL class knows the origin of few schemes. */
export function originOf(address: string): string {
  const { origin, protocol, host } = new URL(address);
  return origin === 'null' ? `${protocol}//${host}` : origin;
}

/** The name in `name:port`; undefined when it is no such thing. */
function nameOf(authority: string): string | undefined {
  return /^(?<name>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/.exec(authority)?.groups?.['name'];
}

function isAddress(name: string): boolean {
  return isIP(name.replace(/^\[|\]$/g, '')) !== 0;
}
