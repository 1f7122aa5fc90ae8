/**
 * Holds every request of a browser until the gate of its context lets it leave: the one place that knows which
 * document asks. A session of the browser as a whole sees what sessions of pages do not: frames of other
 * sites, workers, service workers, pop-ups before their first request.
 */
import type { Browser, BrowserContext, CDPSession, Frame, Page } from 'playwright';
import { targetOf } from '../base/host-pattern.ts';
import { isCloser, type AddressSpace } from '../fence/address-space.ts';
import type { BrowserView, Gate } from '../fence/gate.ts';

interface PausedRequest {
  frameId: string;
  resourceType: string;
  request: { url: string; headers: Record<string, string> };
}

/** What DevTools knows of a page, frame or worker. */
interface TargetInfo {
  targetId: string;
  type: string;
  url: string;
  browserContextId?: string;
  openerId?: string;
  parentId?: string;
}

interface Member {
  context: BrowserContext;
  gate: Gate;
  contextId: string;
}

/** A pattern for nothing: what matches it is never asked for. */
const NO_REQUEST = 'http://hold-nothing.invalid/*';

type SpaceOf = (host: string) => AddressSpace;

const guards = new WeakMap<Browser, RequestGuard>();

/** The guard of a browser; made when it is first asked for. */
export function guardOf(browser: Browser): RequestGuard {
  const known = guards.get(browser);
  if (known) return known;
  const guard = new RequestGuard(browser);
  guards.set(browser, guard);
  return guard;
}

export class RequestGuard {
  readonly #browser: Browser;
  readonly #members = new Set<Member>();
  /** Every request of the browser is held. */
  #isHolding = false;
  #session: Promise<CDPSession> | null = null;
  #targets: { sent: Promise<Map<string, TargetInfo>>; next: Promise<Map<string, TargetInfo>> | null } | null =
    null;
  readonly #sessions = new WeakMap<Page | Frame, Promise<CDPSession>>();

  constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** The view of one context, for its gate. Nothing is asked of the browser before the gate does. */
  view(context: BrowserContext, gate: Gate): BrowserView {
    let contextId: Promise<string> | null = null;
    const id = (): Promise<string> => (contextId ??= this.#idOf(context));
    return {
      documents: async (spaceOf) => {
        const [own, targets] = [await id(), await this.#freshTargets()];
        return new Set(
          [...targets.values()]
            .filter(({ browserContextId, type }) => browserContextId === own && type !== 'browser_ui')
            // A blank page without an opener may have shown another page before.
            .map((target) => spaceOfTarget(target, targets, spaceOf) ?? 'public'),
        );
      },
      prepare: async () => {
        if (this.#isHolding) return;
        await (await this.#open()).send('Fetch.enable', { patterns: [{ urlPattern: NO_REQUEST }] });
      },
      guard: async () => {
        this.#isHolding = true;
        const own = await id();
        if (![...this.#members].some((member) => member.context === context)) {
          const member = { context, gate, contextId: own };
          this.#members.add(member);
          context.once('close', () => this.#members.delete(member));
        }
        await (await this.#open()).send('Fetch.enable', { patterns: [{ urlPattern: '*' }] });
      },
    };
  }

  #open(): Promise<CDPSession> {
    this.#session ??= this.#browser.newBrowserCDPSession().then((session) => {
      session.on('Fetch.requestPaused', (paused) => {
        const { requestId } = paused;
        void this.#mayLeave(paused).then((may) =>
          (may
            ? session.send('Fetch.continueRequest', { requestId })
            : session.send('Fetch.failRequest', { requestId, errorReason: 'AccessDenied' })
          ).catch(() => undefined),
        );
      });
      return session;
    });
    return this.#session;
  }

  async #mayLeave({ frameId, resourceType, request }: PausedRequest): Promise<boolean> {
    const target = targetOf(request.url);
    if (!target) return true;
    // Nearly all requests go to hosts that no gate cares about: they cost no look at the browser.
    const members = [...this.#members].filter(({ gate }) => !gate.isKnownPublic(target.host));
    if (members.length === 0) return true;
    try {
      const targets = await this.#freshTargets();
      const asking = targets.get(frameId);
      const inPage = asking ? null : await this.#frameInPage(frameId);
      // The frame is gone.
      if (!asking && !inPage) return false;
      const member = members.find(({ context, contextId }) =>
        asking ? contextId === asking.browserContextId : context === inPage?.context,
      );
      // Of a context without private hosts: its own gate decides.
      if (!member) return true;
      return await member.gate.mayLeave({
        target,
        isNavigation: resourceType === 'Document' && asking?.type === 'page',
        initiator: (spaceOf) => {
          const shown = asking ? spaceOfTarget(asking, targets, spaceOf) : null;
          // What a page sent when it was left belongs to the page before.
          const said = [...(inPage?.hosts ?? []), ...hostsIn(request.headers)].map(spaceOf);
          const spaces = shown === null ? said : [shown, ...said];
          return spaces.length === 0 ? 'public' : spaces.reduce((a, b) => (isCloser(a, b) ? b : a));
        },
      });
    } catch {
      return false;
    }
  }

  /** A frame in the process of its page, or of another frame: in which context, and hosts of it and its ancestors. */
  async #frameInPage(frameId: string): Promise<{ context: BrowserContext; hosts: string[] } | null> {
    const contexts = this.#browser.contexts();
    for (const context of contexts) {
      for (const page of context.pages()) {
        const path = await this.#pathTo(frameId, page);
        if (path) return { context, hosts: path };
      }
    }
    for (const context of contexts) {
      for (const frame of context.pages().flatMap((page) => page.frames().slice(1))) {
        const path = await this.#pathTo(frameId, frame);
        if (path) return { context, hosts: path };
      }
    }
    return null;
  }

  /** Hosts of the frame and of those that it is in; undefined: not in this one's process. */
  async #pathTo(frameId: string, root: Page | Frame): Promise<string[] | undefined> {
    try {
      const session = await this.#sessionOf(root);
      return pathIn((await session.send('Page.getFrameTree')).frameTree, frameId)?.flatMap(
        (url) => hostOf(url) ?? [],
      );
    } catch {
      // It went away, or has no process of its own.
      return undefined;
    }
  }

  #sessionOf(root: Page | Frame): Promise<CDPSession> {
    const known = this.#sessions.get(root);
    if (known) return known;
    const context = 'context' in root ? root.context() : root.page().context();
    const session = context.newCDPSession(root);
    this.#sessions.set(root, session);
    return session;
  }

  async #idOf(context: BrowserContext): Promise<string> {
    const page = context.pages()[0];
    if (!page) throw new Error('a context without a page has no id');
    const { targetInfo } = await (await this.#sessionOf(page)).send('Target.getTargetInfo');
    return targetInfo.browserContextId ?? '';
  }

  /** As they are after this call: a question that was sent before it may have been answered before, too. */
  #freshTargets(): Promise<Map<string, TargetInfo>> {
    const ask = async (): Promise<Map<string, TargetInfo>> => {
      const { targetInfos } = await (await this.#open()).send('Target.getTargets');
      return new Map(targetInfos.map((info) => [info.targetId, info]));
    };
    if (this.#targets) {
      const { targets } = { targets: this.#targets };
      targets.next ??= targets.sent.then(ask, ask);
      return targets.next;
    }
    const begin = (sent: Promise<Map<string, TargetInfo>>): void => {
      const mine = { sent, next: null as Promise<Map<string, TargetInfo>> | null };
      this.#targets = mine;
      const end = (): void => {
        if (mine.next) begin(mine.next);
        else this.#targets = null;
      };
      sent.then(end, end);
    };
    const sent = ask();
    begin(sent);
    return sent;
  }
}

type FrameTree = { frame: { id: string; url: string }; childFrames?: FrameTree[] };

function pathIn(tree: FrameTree, frameId: string): string[] | undefined {
  if (tree.frame.id === frameId) return [tree.frame.url];
  for (const child of tree.childFrames ?? []) {
    const below = pathIn(child, frameId);
    if (below) return [...below, tree.frame.url];
  }
  return undefined;
}

/**
 * The space of a page, frame or worker. What shows no page of the web (blank ones, viewers of the browser) has
 * that of whoever made it. Null: nobody did.
 */
function spaceOfTarget(
  target: TargetInfo,
  targets: ReadonlyMap<string, TargetInfo>,
  spaceOf: SpaceOf,
): AddressSpace | null {
  const host = hostOf(target.url);
  if (host !== null) return spaceOf(host);
  const from = target.parentId ?? target.openerId;
  if (from === undefined) return null;
  const maker = targets.get(from);
  // Whoever made it is gone: what runs in it may be theirs.
  return maker && maker !== target ? spaceOfTarget(maker, targets, spaceOf) : 'public';
}

/** Of the page that a document belongs to, also of a blob. */
function hostOf(url: string): string | null {
  return targetOf(url.replace(/^(?:blob|filesystem):/, ''))?.host ?? null;
}

function hostsIn(headers: Record<string, string>): string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    /^(?:origin|referer)$/i.test(name) ? (hostOf(value) ?? []) : [],
  );
}
