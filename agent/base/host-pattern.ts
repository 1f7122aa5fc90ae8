/**
 * Entries of lists such as `policy.allowed_domains`: a host, optionally with its subdomains, a scheme and a
 * port. One grammar for scripts, settings and the fence.
 */

/** What a request goes to. */
export interface HostTarget {
  /** As `canonicalHost` writes it. */
  host: string;
  port: number;
  /** Whether the connection is encrypted; null: cannot be known yet, as for a tunnel. */
  secure: boolean | null;
}

export interface HostPattern {
  /** Null: any scheme. `wss` counts as `https`, `ws` as `http`. */
  scheme: 'http' | 'https' | null;
  /** `*`, `*.example.com` (subdomains only) or one host. */
  host: string;
  /** Null: any port. */
  port: number | null;
}

/** What an entry may look like, for messages. */
export const HOST_PATTERN_WORDS =
  'hosts such as `portal.example.com`, `*.example.com` (every subdomain, not example.com itself), `example.com:8443`, `https://example.com`, `192.0.2.7`, `[2001:db8::7]:8080`, or `*` for every host';

const DEFAULT_PORT = { http: 80, https: 443 } as const;

/** @throws Error saying what is wrong with the entry and how to write it */
export function parseHostPattern(text: string): HostPattern {
  const [, written, rest = ''] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(text.trim()) ?? [];
  const scheme = written === undefined ? null : schemeOf(written.toLowerCase(), text);
  const authority = rest.replace(/\/$/, '');
  if (/[/?#@\\\s]/.test(authority) || authority === '') {
    throw new Error(
      `"${text}" is not a host: leave out path, user and spaces. Allowed are ${HOST_PATTERN_WORDS}.`,
    );
  }
  // Several colons without brackets: an IPv6 address, which has no port then.
  const [, hostText = '', portText] = /^(\[.*\]|[^:]*)(?::(\d+))?$/s.exec(authority) ?? ['', authority];
  const port = portText === undefined ? null : Number(portText);
  const isSubdomains = hostText.startsWith('*.');
  const host = hostText === '*' ? '*' : canonicalHost(isSubdomains ? hostText.slice(2) : hostText);
  const isOddWildcard = hostText !== '*' && host?.includes('*') === true;
  const isAddress = host !== null && /^[\d.]+$|:/.test(host);
  const isNoPort = port !== null && (port < 1 || port > 65_535);
  if (host === null || isOddWildcard || isNoPort || (isSubdomains && isAddress)) {
    throw new Error(`"${text}" is not a host. Allowed are ${HOST_PATTERN_WORDS}.`);
  }
  return {
    scheme,
    host: isSubdomains ? `*.${host}` : host,
    port: port ?? (scheme === null ? null : DEFAULT_PORT[scheme]),
  };
}

function schemeOf(scheme: string, text: string): 'http' | 'https' {
  if (scheme === 'http' || scheme === 'ws') return 'http';
  if (scheme === 'https' || scheme === 'wss') return 'https';
  throw new Error(`"${text}" has the scheme ${scheme}: only http and https can be allowed.`);
}

/** How the entry is written, in its shortest form. */
export function formatHostPattern({ scheme, host, port }: HostPattern): string {
  const shown = host.includes(':') ? `[${host}]` : host;
  if (scheme === null) return port === null ? shown : `${shown}:${port}`;
  return `${scheme}://${shown}${port === null || port === DEFAULT_PORT[scheme] ? '' : `:${port}`}`;
}

export function matchesHost(pattern: HostPattern, target: HostTarget): boolean {
  if (pattern.port !== null && pattern.port !== target.port) return false;
  if (pattern.scheme !== null && target.secure !== null && (pattern.scheme === 'https') !== target.secure)
    return false;
  return hostCovers(pattern.host, target.host);
}

/** What both entries allow; null: nothing. */
export function meetHostPatterns(a: HostPattern, b: HostPattern): HostPattern | null {
  const host = hostCovers(a.host, b.host) ? b.host : hostCovers(b.host, a.host) ? a.host : null;
  if (host === null) return null;
  if (a.port !== null && b.port !== null && a.port !== b.port) return null;
  if (a.scheme !== null && b.scheme !== null && a.scheme !== b.scheme) return null;
  return { host, port: a.port ?? b.port, scheme: a.scheme ?? b.scheme };
}

/** `narrow` may be a pattern too. */
function hostCovers(wide: string, narrow: string): boolean {
  if (wide === '*' || wide === narrow) return true;
  return wide.startsWith('*.') && narrow.endsWith(wide.slice(1));
}

/**
 * A host as browsers write it: lower case, Punycode, without brackets and the dot at the end, numbers of any
 * spelling (`127.1`, `0x7f000001`, `2130706433`) as four decimal parts. Null: it is not a host.
 */
export function canonicalHost(host: string): string | null {
  const plain = host.replace(/\.$/, '');
  const text = plain.includes(':') && !plain.startsWith('[') ? `[${plain}]` : plain;
  if (text === '' || /[/?#@\\\s]/.test(text)) return null;
  try {
    const url = new URL(`http://${text}/`);
    return url.port === '' && url.hostname !== '' ? url.hostname.replace(/^\[|\]$/g, '') : null;
  } catch {
    return null;
  }
}

/** What an http or https (ws, wss) address goes to; null for any other address. */
export function targetOf(address: string | URL): HostTarget | null {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return null;
  }
  const secure = url.protocol === 'https:' || url.protocol === 'wss:';
  if (!secure && url.protocol !== 'http:' && url.protocol !== 'ws:') return null;
  const host = canonicalHost(url.hostname);
  if (host === null) return null;
  const port = url.port === '' ? DEFAULT_PORT[secure ? 'https' : 'http'] : Number(url.port);
  return { host, port, secure };
}
