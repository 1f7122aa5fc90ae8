/** Counts and describes the requests that the fence refused. */

/** Why a request was refused. */
export type RefusalReason =
  | 'list'
  | 'forbidden_address'
  | 'own_port'
  | 'private_forbidden'
  | 'private_unnamed'
  | 'private_from_public'
  | 'rebound'
  | 'closed';

export interface Refusal {
  host: string;
  port: number;
  reason: RefusalReason;
  /** How often; one entry stands for each host, port and reason. */
  count: number;
}

const WORDS: Record<RefusalReason, string> = {
  list: 'it is not in the list of what pages may load. If the page needs it, add it to policy.allowed_requests of the script, or to script.allowed_requests of this machine',
  forbidden_address:
    'it leads to a link-local or metadata address, where machines keep credentials. The agent never opens those',
  own_port: 'it leads to a port of the agent itself, which pages never reach',
  private_forbidden:
    'it leads to a private address, and network.private_addresses of this machine forbids those. If it belongs there, add it to network.private_hosts',
  private_unnamed:
    'it leads to a private address that the script does not name. Name the host in policy.allowed_domains or policy.allowed_requests of the script, or add it to network.private_hosts of this machine',
  private_from_public:
    'it leads to a private address, and a page from a public address may be asking. If that page is to reach it, add it to network.private_hosts of this machine',
  rebound: 'it led to a public address before and now leads to a private one',
  closed: 'no run uses this browser now',
};

/** Why, and what to set: follows "… was refused: ". */
export function wordsOf(reason: RefusalReason): string {
  return WORDS[reason];
}

/** `host:port` as in an address. */
export function shownTarget({ host, port }: { host: string; port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Entries shown: enough to see what a page wants, small enough for a result. */
const MAX_LISTED = 20;
/** Entries known: a page that tries names at random does not fill the memory. */
const MAX_KNOWN = 1_000;

/** Counts refusals of one run. */
export class Refusals {
  #total = 0;
  readonly #known = new Map<string, Refusal>();

  add(refused: Omit<Refusal, 'count'>): void {
    this.#total += 1;
    const key = `${refused.host} ${refused.port} ${refused.reason}`;
    const known = this.#known.get(key);
    if (known) known.count += 1;
    else if (this.#known.size < MAX_KNOWN) this.#known.set(key, { ...refused, count: 1 });
  }

  get total(): number {
    return this.#total;
  }

  /** The first {@link MAX_LISTED} kinds. */
  get listed(): readonly Refusal[] {
    return [...this.#known.values()].slice(0, MAX_LISTED);
  }

  /** The last reason why this target was refused; undefined: it was not. */
  reasonOf({ host, port }: { host: string; port: number }): RefusalReason | undefined {
    return [...this.#known.values()].findLast((refusal) => refusal.host === host && refusal.port === port)
      ?.reason;
  }
}
