/** Names to addresses, through the system's own resolver, with a short memory. */
import { lookup } from 'node:dns';
import { isIP } from 'node:net';

/** All addresses of a name, in the order in which to try them. @throws NodeJS.ErrnoException such as ENOTFOUND */
export type Lookup = (host: string) => Promise<string[]>;

/** As long as Chromium remembers an answer of the system's resolver, which carries no lifetime. */
const KEEP_MS = 60_000;
/** A page asks for a missing name several times in a row; a person who corrects it should not have to wait. */
const KEEP_FAILURE_MS = 1_000;
/** A busy page uses some 50 names. */
const MAX_KEPT = 1_000;

interface Kept {
  addresses: Promise<string[]>;
  until: number;
}

export class Resolver {
  readonly #lookup: Lookup;
  readonly #now: () => number;
  readonly #kept = new Map<string, Kept>();

  constructor(options: { lookup?: Lookup; now: () => number }) {
    this.#lookup = options.lookup ?? systemLookup;
    this.#now = options.now;
  }

  /**
   * @param host as `canonicalHost` writes it
   * @throws NodeJS.ErrnoException when the name has no address
   */
  resolve(host: string): Promise<string[]> {
    if (isIP(host) !== 0) return Promise.resolve([host]);
    // RFC 6761: never asked of a server, so that no server can send these names elsewhere.
    if (host === 'localhost' || host.endsWith('.localhost')) return Promise.resolve(['127.0.0.1', '::1']);
    const kept = this.#kept.get(host);
    if (kept && kept.until > this.#now()) return kept.addresses;
    const addresses = this.#lookup(host);
    const entry: Kept = { addresses, until: Number.POSITIVE_INFINITY };
    this.#keep(host, entry);
    addresses.then(
      () => (entry.until = this.#now() + KEEP_MS),
      () => (entry.until = this.#now() + KEEP_FAILURE_MS),
    );
    return addresses;
  }

  #keep(host: string, entry: Kept): void {
    this.#kept.delete(host);
    if (this.#kept.size >= MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value ?? '');
    this.#kept.set(host, entry);
  }
}

/** Hosts files, VPNs and multicast names count: the same as for any program of this machine. */
const systemLookup: Lookup = (host) =>
  new Promise((resolve, reject) => {
    lookup(host, { all: true }, (error, addresses) => {
      if (error) reject(error);
      else resolve(addresses.map(({ address }) => address));
    });
  });
