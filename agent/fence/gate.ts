/**
 * Decides what one browser context may reach. The rules are those of the current run; what the gate knows of
 * hosts lasts as long as the context, because its pages do.
 */
import type { HostPattern, HostTarget } from '../base/host-pattern.ts';
import type { Logger } from '../base/log.ts';
import { isCloser, type AddressSpace } from './address-space.ts';
import type { OwnPorts } from './own-ports.ts';
import { Refusals, type Refusal, type RefusalReason } from './refusals.ts';
import type { Resolver } from './resolver.ts';
import { isListed, isNamed, isOpened, type FenceRules } from './rules.ts';
import type { Route, Router } from './upstream/route.ts';

export type Verdict =
  | {
      kind: 'connect';
      /** Where to connect: checked, and to be used instead of the name. Empty: only the upstream proxy knows. */
      addresses: readonly string[];
      routes: readonly Route[];
      space: AddressSpace;
      /** The tunnel may carry a WebSocket, which the browser did not check: look at its first bytes. */
      isWatched: boolean;
    }
  | { kind: 'refused'; reason: RefusalReason }
  /** It has no address; `code` as Node has it, e.g. `ENOTFOUND`. */
  | { kind: 'failed'; code: string };

/** A request that the browser holds until the gate decides whether it may leave. */
export interface HeldRequest {
  target: HostTarget;
  /** Whether it would replace a whole page, rather than load something into one. */
  isNavigation: boolean;
  /** The space of the document or worker that asks; what cannot be told counts as `public`. */
  initiator(spaceOf: (host: string) => AddressSpace): AddressSpace;
}

/** What only the browser knows. */
export interface BrowserView {
  /** Spaces of the documents and workers that are alive, given those of their hosts. */
  documents(spaceOf: (host: string) => AddressSpace): Promise<ReadonlySet<AddressSpace>>;
  /** Makes {@link guard} hold requests also of documents that are open by then. */
  prepare(): Promise<void>;
  /** From now on every request of documents that are loaded later is held until `gate.mayLeave` resolves. */
  guard(): Promise<void>;
}

export interface GateOptions {
  resolver: Resolver;
  spaceOf: (address: string) => AddressSpace;
  ownPorts: OwnPorts;
  router: Router;
  /** The browser may hold pages of earlier runs in its cache, which come without a request. */
  isPersistent: boolean;
  log: Logger;
}

/** How long the names that a script has in it are waited for; one that has no answer by then is not guarded. */
const NAMES_TIMEOUT_MS = 2_000;
/** How long names are waited for that an upstream proxy may know better. */
const PROXIED_NAME_TIMEOUT_MS = 1_000;
/** Hosts and failures remembered; the oldest go. */
const MAX_HOSTS = 10_000;
const MAX_FAILURES = 100;

export class Gate {
  readonly #options: GateOptions;
  #rules: FenceRules | null = null;
  #named: HostPattern[] = [];
  #refusals = new Refusals();
  #view: BrowserView | null = null;
  /** The most public space that a host had in this context. */
  readonly #spaces = new Map<string, AddressSpace>();
  /** The most public space that was reached; null: nothing was. */
  #reached: AddressSpace | null = null;
  /** There once a page from a public address may be open. */
  #exposed: Promise<void> | null = null;
  /** The browser holds requests of this context for {@link mayLeave}, whatever document they come from. */
  #isGuarded = false;
  /** The browser can begin to hold requests of documents that are open already. */
  #isPrepared = false;
  readonly #failures = new Map<string, string>();
  readonly #listeners = new Set<(refusal: Omit<Refusal, 'count'>) => void>();

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Sets the rules of a run, or null between runs: then everything is refused. */
  async setRules(rules: FenceRules | null): Promise<void> {
    this.#rules = rules;
    this.#named = [...(rules?.named ?? [])];
    this.#refusals = new Refusals();
    this.#failures.clear();
    await this.#guardNamed();
  }

  /**
   * Connects the gate with its browser, before the first page is opened. Without, private addresses are out of
   * reach as soon as a public one was reached.
   *
   * @param isKept pages stay from run to run, so that a later one may name what these must not reach
   */
  async setView(view: BrowserView, { isKept }: { isKept: boolean }): Promise<void> {
    this.#view = view;
    if (isKept) {
      await view.prepare();
      this.#isPrepared = true;
    }
    if (this.#options.isPersistent) await this.#expose();
  }

  /** Requests refused since the rules were set. */
  get refusals(): Refusals {
    return this.#refusals;
  }

  /** Called at each refusal. @returns a function that ends it */
  onRefused(listener: (refusal: Omit<Refusal, 'count'>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Why the last connection to this target failed; undefined: it did not. */
  failureOf(target: { host: string; port: number }): string | undefined {
    return this.#failures.get(`${target.host} ${target.port}`);
  }

  noteFailure({ host, port }: { host: string; port: number }, code: string): void {
    const key = `${host} ${port}`;
    this.#failures.delete(key);
    if (this.#failures.size >= MAX_FAILURES) this.#failures.delete(this.#failures.keys().next().value ?? '');
    this.#failures.set(key, code);
  }

  noteConnected({ host, port }: { host: string; port: number }): void {
    this.#failures.delete(`${host} ${port}`);
  }

  refuse({ host, port }: { host: string; port: number }, reason: RefusalReason): Verdict {
    this.#refusals.add({ host, port, reason });
    this.#options.log.debug({ host, port, reason }, 'the fence refused a request');
    for (const listener of this.#listeners) listener({ host, port, reason });
    return { kind: 'refused', reason };
  }

  /** The script opens this host by itself: a private address of it may be reached from now on. */
  async name(pattern: HostPattern): Promise<void> {
    this.#named.push(pattern);
    await this.#guardNamed();
  }

  async #guardNamed(): Promise<void> {
    if (!this.#exposed) return;
    await this.#exposed;
    if (await this.#isAnyNamedPrivate()) await this.#guard();
  }

  /** Decides about one connection or request. */
  async admit(target: HostTarget, via: 'tunnel' | 'request'): Promise<Verdict> {
    const rules = this.#rules && { ...this.#rules, named: this.#named };
    if (!rules) return this.refuse(target, 'closed');
    if (!isListed(rules, target)) return this.refuse(target, 'list');
    const routes = await this.#options.router.routes(target);
    let addresses: string[];
    try {
      addresses = await this.#addressesOf(target.host, routes);
    } catch (thrown) {
      const { code = 'ENOTFOUND' } = thrown as NodeJS.ErrnoException;
      this.noteFailure(target, code);
      return { kind: 'failed', code };
    }
    const { spaceOf, ownPorts } = this.#options;
    const spaces = new Set(addresses.map(spaceOf));
    // Of answers that disagree only the most public ones count: the others are how a name is made to lead inside.
    const space =
      (['public', 'private', 'loopback', 'forbidden'] as const).find((one) => spaces.has(one)) ?? 'public';
    const chosen = addresses.filter((address) => spaceOf(address) === space);
    if (space === 'forbidden') return this.refuse(target, 'forbidden_address');
    if (chosen.some((address) => ownPorts.isOwn(address, target.port, space)))
      return this.refuse(target, 'own_port');
    const known = this.#spaces.get(target.host);
    const allowed: Verdict = { kind: 'connect', addresses: chosen, routes, space, isWatched: false };
    if (space === 'public') {
      await this.#expose();
      return this.#reach(target.host, allowed);
    }
    if (chosen.every((address) => isOpened(rules, target, address))) return this.#reach(target.host, allowed);
    if (rules.privateAddresses === 'forbid') return this.refuse(target, 'private_forbidden');
    if (known === 'public') return this.refuse(target, 'rebound');
    const reason = await this.#whyNotPrivate(rules, target, space);
    if (reason !== null) return this.refuse(target, reason);
    const isWatched = via === 'tunnel' && this.#exposed !== null;
    return this.#reach(target.host, { ...allowed, isWatched });
  }

  /** Whether a request that the browser holds may leave; lists and the rest are decided when it arrives here. */
  async mayLeave(held: HeldRequest): Promise<boolean> {
    const rules = this.#rules && { ...this.#rules, named: this.#named };
    if (!rules) return true;
    const { target } = held;
    const { space, address } = await this.#spaceOfTarget(target.host);
    if (space === 'public' || space === 'forbidden' || rules.privateAddresses === 'forbid') return true;
    if (isOpened(rules, target, address)) return true;
    const isHostNamed = isNamed(rules, target);
    if (isHostNamed && held.isNavigation) return true;
    const from = held.initiator((host) => this.spaceOfHost(host));
    if (isHostNamed ? from !== 'public' : !isCloser(space, from)) return true;
    this.refuse(target, isHostNamed ? 'private_from_public' : 'private_unnamed');
    return false;
  }

  async #spaceOfTarget(host: string): Promise<{ space: AddressSpace; address: string }> {
    const { resolver, spaceOf } = this.#options;
    const [address = ''] = (await within(resolver.resolve(host), NAMES_TIMEOUT_MS)) ?? [];
    // Without an address the request fails, or goes to an upstream proxy that knows outside names.
    return { space: address === '' ? 'public' : spaceOf(address), address };
  }

  /** Decides about a WebSocket in a watched tunnel. @param origin of the page, null: not known */
  async admitWebSocket(target: HostTarget, origin: HostTarget | null): Promise<boolean> {
    const isFromPublic =
      origin === null ? (await this.#openSpaces()).has('public') : this.spaceOfHost(origin.host) === 'public';
    if (isFromPublic) this.refuse(target, 'private_from_public');
    return !isFromPublic;
  }

  /** Whether the host led to a public address, which it then keeps for as long as the context is there. */
  isKnownPublic(host: string): boolean {
    return this.#spaces.get(host) === 'public';
  }

  /** The space of a host whose page is open; one that was never reached counts as public. */
  spaceOfHost(host: string): AddressSpace {
    return this.#spaces.get(host) ?? 'public';
  }

  async #addressesOf(host: string, routes: readonly Route[]): Promise<string[]> {
    const { resolver } = this.#options;
    if (routes.some(({ kind }) => kind === 'direct')) return resolver.resolve(host);
    // In closed networks only the proxy knows outside names.
    return (await within(resolver.resolve(host), PROXIED_NAME_TIMEOUT_MS)) ?? [];
  }

  #reach(host: string, verdict: Extract<Verdict, { kind: 'connect' }>): Verdict {
    const { space } = verdict;
    const known = this.#spaces.get(host);
    if (known === undefined || isCloser(known, space)) {
      if (this.#spaces.size >= MAX_HOSTS) this.#spaces.delete(this.#spaces.keys().next().value ?? '');
      this.#spaces.set(host, space);
    }
    if (this.#reached === null || isCloser(this.#reached, space)) this.#reached = space;
    return verdict;
  }

  /**
   * Before the first page from a public address can be there, the browser begins to hold requests, if there is
   * anything private that this context may reach.
   */
  #expose(): Promise<void> {
    this.#exposed ??= (async () => {
      const isPrivateReached = this.#reached !== null && this.#reached !== 'public';
      if (isPrivateReached || (await this.#isAnyNamedPrivate())) await this.#guard({ isFirst: true });
    })();
    return this.#exposed;
  }

  async #isAnyNamedPrivate(): Promise<boolean> {
    const { resolver, spaceOf } = this.#options;
    const found = await Promise.all(
      // A pattern cannot be looked up: that a host of it is private shows when it is reached.
      this.#named
        .filter(({ host }) => !host.startsWith('*'))
        .map(async ({ host }) => {
          const addresses = await within(resolver.resolve(host), NAMES_TIMEOUT_MS);
          return addresses?.some((address) => spaceOf(address) !== 'public') ?? false;
        }),
    );
    return found.includes(true);
  }

  /**
   * @param isFirst no page from a public address can be open yet. Those that are open already are not held, so
   *   that otherwise the browser counts as guarded only when they are gone
   */
  async #guard({ isFirst = false } = {}): Promise<void> {
    if (this.#isGuarded || !this.#view) return;
    try {
      await this.#view.guard();
      this.#isGuarded = isFirst || this.#isPrepared || !(await this.#openSpaces()).has('public');
    } catch (thrown) {
      // The browser is gone, or about to be.
      this.#options.log.debug({ err: thrown }, 'the browser does not hold requests');
    }
  }

  async #whyNotPrivate(
    rules: FenceRules,
    target: HostTarget,
    space: AddressSpace,
  ): Promise<RefusalReason | null> {
    const isHostNamed = isNamed(rules, target);
    if (this.#exposed === null) {
      // Only what is as private as this was reached so far, so that nothing else can be asking.
      const isKnownInside = this.#reached !== null && !isCloser(space, this.#reached);
      return isHostNamed || isKnownInside ? null : 'private_unnamed';
    }
    await this.#exposed;
    if (this.#isGuarded) return null;
    // From now on; this request left without being held.
    await this.#guard();
    const open = await this.#openSpaces();
    if (isHostNamed) return open.has('public') ? 'private_from_public' : null;
    return open.size > 0 && [...open].every((from) => !isCloser(space, from)) ? null : 'private_unnamed';
  }

  async #openSpaces(): Promise<ReadonlySet<AddressSpace>> {
    if (!this.#view) return new Set(['public']);
    try {
      return await this.#view.documents((host) => this.spaceOfHost(host));
    } catch {
      return new Set(['public']);
    }
  }
}

/** Undefined when it fails or takes longer. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([promise, late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
