/**
 * `lba://app/`: the page's files, from a scheme of their own. Unlike `file:` it has an origin, reaches no
 * other file of the machine, and carries a policy.
 */
import { readFile } from 'node:fs/promises';
import { extname, join, relative, resolve, isAbsolute } from 'node:path';
import { SCHEME } from './channels.ts';

/** To be given to Electron before the app is ready. */
export const PRIVILEGED_SCHEMES = [
  { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
];

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
};

/** Where a run's page is watched, below the agent's address. */
export const LIVE_PATH = '/live/';

/**
 * @param agentUrl the only address beside its own that the page may speak to and show in a frame; null: none
 */
export function pagePolicy(agentUrl: string | null): string {
  const agent = agentUrl === null ? '' : ` ${new URL(agentUrl).origin}`;
  const socket = agent.replace(/^ http/, ' ws');
  return [
    "default-src 'none'",
    "script-src 'self'",
    // The component library writes style elements and attributes.
    "style-src 'self' 'unsafe-inline'",
    // Evidence is fetched with the key and shown as blobs.
    "img-src 'self' data: blob:",
    'media-src blob:',
    "font-src 'self'",
    `connect-src 'self'${agent}${socket}`,
    `frame-src ${agent.trim() || "'none'"}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

export interface SchemeOptions {
  /** What the bundler made of renderer/. */
  folder: string;
  agentUrl: () => string | null;
  /** The one page that is not the bundler's: shown while the app quits. */
  quitPage: () => string;
}

/** Answers every request of the scheme. */
export function createSchemeHandler(options: SchemeOptions): (request: Request) => Promise<Response> {
  return async ({ url, method }) => {
    const { hostname, pathname } = new URL(url);
    if (method !== 'GET') return new Response(null, { status: 405 });
    if (hostname === 'quit') return html(options.quitPage(), "default-src 'none'; style-src 'unsafe-inline'");
    const path = hostname === 'app' ? fileOf(options.folder, pathname) : null;
    if (path === null) return new Response('not found', { status: 404 });
    let bytes: Buffer;
    try {
      bytes = await readFile(path);
    } catch {
      return new Response('not found', { status: 404 });
    }
    const type = TYPES[extname(path)];
    if (type === undefined) return new Response('not found', { status: 404 });
    return new Response(new Uint8Array(bytes), {
      headers: {
        'content-type': type,
        'content-security-policy': pagePolicy(options.agentUrl()),
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-cache',
      },
    });
  };
}

/** @returns null for what lies outside the folder, looked at after decoding */
export function fileOf(folder: string, pathname: string): string | null {
  let decoded: string;
  try {
    decoded = decodeURIComponent(pathname);
  } catch {
    return null;
  }
  if (decoded.includes('\0')) return null;
  const path = resolve(folder, `.${decoded === '/' ? '/index.html' : decoded}`);
  const inside = relative(folder, path);
  if (inside === '' || inside.startsWith('..') || isAbsolute(inside)) return null;
  return join(folder, inside);
}

function html(text: string, policy: string): Response {
  return new Response(text, {
    headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy },
  });
}
