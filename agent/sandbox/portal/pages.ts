/** What the portal answers, path by path. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { escapeXml as escapeHtml } from '../errors.ts';
import { resourceFolder } from '../../base/resources.ts';
import { wait } from '../../base/wait.ts';
import { money, ORDERS, ORDERS_PER_PAGE, ordersCsv, searchOrders, type Order } from './data.ts';
import { landscapePng, textPdf } from './images.ts';
import type { PortalAnswer, PortalExchange } from './portal.ts';

export interface Session {
  /** Who has signed in. */
  user: string | null;
  /** How often this session has asked for a page that counts. */
  counters: Map<string, number>;
}

/** How late search results come when the page does not say otherwise. */
const DEFAULT_SEARCH_MS = 700;
const DEFAULT_SLOW_MS = 3000;
/** No page is slower than this, whatever its query says. */
const MAX_DELAY_MS = 60_000;
const DEFAULT_RELOADS = 3;

const CONTENT_TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.html': 'text/html; charset=utf-8',
};

type Handler = (exchange: PortalExchange, argument: string) => PortalAnswer | Promise<PortalAnswer>;

/** Paths anybody may see; all others want a session that has signed in. */
const OPEN = /^\/(login|logout|assets\/|images\/|health|favicon\.ico|unreliable|unavailable|slow)/;

export function createPages(account: { name: string; password: string }) {
  const folder = resourceFolder('portal');
  const layout = readFileSync(join(folder, 'layout.html'), 'utf8');
  const pictures = new Map<string, Buffer>();
  /** Counters for all sessions together. */
  const shared = new Map<string, number>();

  const page = (
    exchange: PortalExchange,
    name: string,
    title: string,
    slots: Record<string, string> = {},
    status = 200,
  ): PortalAnswer => {
    const content = fill(readFileSync(join(folder, 'pages', `${name}.html`), 'utf8'), slots);
    const bare = name.startsWith('bare-');
    const signedIn = exchange.session.user;
    const body = bare
      ? content
      : fill(layout, {
          title: escapeHtml(title),
          content,
          account: signedIn
            ? `<span data-testid="signed-in-as">Signed in as <strong>${escapeHtml(signedIn)}</strong></span><form method="post" action="/logout"><button class="quiet">Sign out</button></form>`
            : '<a href="/login">Sign in</a>',
        });
    return { status, headers: { 'content-type': 'text/html; charset=utf-8' }, body };
  };

  const routes: [RegExp, Handler][] = [
    [/^\/login$/, (exchange) => (exchange.method === 'POST' ? signIn(exchange) : loginPage(exchange))],
    [/^\/logout$/, signOut],
    [/^\/$/, (exchange) => page(exchange, 'home', 'Overview', homeSlots())],
    [
      /^\/search$/,
      (exchange) => page(exchange, 'search', 'Search', { query: escapeHtml(param(exchange, 'q')) }),
    ],
    [/^\/api\/search$/, searchApi],
    [/^\/orders$/, ordersPage],
    [/^\/orders\.csv$/, () => download('text/csv; charset=utf-8', 'orders.csv', ordersCsv(ORDERS))],
    [/^\/orders\/([\w-]+)$/, orderPage],
    [/^\/orders\/([\w-]+)\/invoice\.pdf$/, invoice],
    [/^\/forms$/, (exchange) => page(exchange, 'forms', 'Forms')],
    [/^\/frames$/, (exchange) => page(exchange, 'frames', 'Frames')],
    [/^\/frames\/form$/, framedForm],
    [/^\/widgets$/, (exchange) => page(exchange, 'widgets', 'Widgets')],
    [/^\/dialogs$/, (exchange) => page(exchange, 'dialogs', 'Dialogs')],
    [/^\/popup$/, (exchange) => page(exchange, 'popup', 'Pop-ups')],
    [/^\/popup\/window$/, (exchange) => page(exchange, 'bare-popup', 'Choose a supplier')],
    [/^\/upload$/, upload],
    [/^\/slow$/, slow],
    [/^\/unreliable$/, unreliable],
    [/^\/unavailable$/, unavailable],
    [/^\/images\/(\d+)-(\d+)x(\d+)\.png$/, picture],
    [/^\/assets\/([\w-]+\.(?:css|js|svg))$/, (_exchange, name) => asset(name)],
    [/^\/favicon\.ico$/, () => asset('logo.svg')],
    [/^\/health$/, () => json({ status: 'ok' })],
  ];

  function loginPage(exchange: PortalExchange, problem = ''): PortalAnswer {
    return page(
      exchange,
      'login',
      'Sign in',
      {
        next: escapeHtml(safeNext(param(exchange, 'next'))),
        problem: problem && `<p class="problem" role="alert">${escapeHtml(problem)}</p>`,
      },
      problem ? 401 : 200,
    );
  }

  function signIn(exchange: PortalExchange): PortalAnswer {
    const form = formOf(exchange);
    if (form.get('username') !== account.name || form.get('password') !== account.password) {
      return loginPage(exchange, 'The user name or password is wrong.');
    }
    exchange.session.user = account.name;
    return redirect(safeNext(form.get('next') ?? ''));
  }

  function signOut(exchange: PortalExchange): PortalAnswer {
    exchange.session.user = null;
    return redirect('/login');
  }

  async function searchApi(exchange: PortalExchange): Promise<PortalAnswer> {
    await answerLate(exchange, 'delay', DEFAULT_SEARCH_MS);
    const found = searchOrders(param(exchange, 'q'));
    return json({
      total: found.length,
      orders: found.map((order) => ({ ...order, amount: money(order.amount) })),
    });
  }

  function ordersPage(exchange: PortalExchange): PortalAnswer {
    const pages = Math.ceil(ORDERS.length / ORDERS_PER_PAGE);
    const at = Math.min(pages, Math.max(1, Number(param(exchange, 'page')) || 1));
    const rows = ORDERS.slice((at - 1) * ORDERS_PER_PAGE, at * ORDERS_PER_PAGE)
      .map(orderRow)
      .join('\n');
    const link = (to: number, text: string, current = false): string =>
      current ? `<strong aria-current="page">${text}</strong>` : `<a href="/orders?page=${to}">${text}</a>`;
    const numbers = Array.from({ length: pages }, (_unused, index) =>
      link(index + 1, String(index + 1), index + 1 === at),
    );
    const pager = [
      at > 1 ? link(at - 1, 'Previous') : '',
      ...numbers,
      at < pages ? link(at + 1, 'Next') : '',
    ].join(' ');
    return page(exchange, 'orders', 'Orders', { rows, pager, range: `Page ${at} of ${pages}` });
  }

  function orderPage(exchange: PortalExchange, id: string): PortalAnswer {
    const order = ORDERS.find((each) => each.id === id);
    if (!order) return notFound(exchange);
    return page(exchange, 'order', `Order ${order.id}`, {
      ...escapeAll(order),
      amount: money(order.amount),
      picture: `/images/${order.id.slice(3)}-640x360.png`,
    });
  }

  function invoice(exchange: PortalExchange, id: string): PortalAnswer {
    const order = ORDERS.find((each) => each.id === id);
    if (!order) return notFound(exchange);
    const lines = [
      `Invoice for order ${order.id}`,
      `Customer: ${order.customer}`,
      `Date: ${order.date}`,
      `${order.quantity} x ${order.item}`,
      `Total: EUR ${(order.amount / 100).toFixed(2)}`,
    ];
    return download('application/pdf', `invoice-${order.id}.pdf`, textPdf(lines));
  }

  function framedForm(exchange: PortalExchange): PortalAnswer {
    const reference = exchange.method === 'POST' ? (formOf(exchange).get('reference') ?? '') : '';
    return page(exchange, 'bare-frame', 'Form', {
      received:
        reference && `<p role="status" data-testid="frame-result">Received: ${escapeHtml(reference)}</p>`,
    });
  }

  async function upload(exchange: PortalExchange): Promise<PortalAnswer> {
    if (exchange.method !== 'POST') return page(exchange, 'upload', 'Upload', { received: '' });
    const form = await new Response(new Uint8Array(exchange.body), {
      headers: { 'content-type': exchange.contentType },
    }).formData();
    const rows: string[] = [];
    for (const file of form.getAll('files')) {
      if (typeof file === 'string' || file.size === 0) continue;
      const sha256 = createHash('sha256')
        .update(Buffer.from(await file.arrayBuffer()))
        .digest('hex');
      rows.push(
        `<tr><td>${escapeHtml(file.name)}</td><td>${file.size} bytes</td><td><code>${sha256}</code></td></tr>`,
      );
    }
    const received = `<h2>Received ${rows.length} file${rows.length === 1 ? '' : 's'}</h2><table data-testid="uploads"><thead><tr><th>Name</th><th>Size</th><th>SHA-256</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
    return page(exchange, 'upload', 'Upload', { received });
  }

  async function slow(exchange: PortalExchange): Promise<PortalAnswer> {
    await answerLate(exchange, 'ms', DEFAULT_SLOW_MS);
    return page(exchange, 'slow', 'Slow page');
  }

  /** `?fail=2`: the session's first two requests fail. Without it every second one does. With `&shared=`, all sessions count as one. */
  function unreliable(exchange: PortalExchange): PortalAnswer {
    const fail = param(exchange, 'fail');
    const count = visit(exchange, param(exchange, 'shared') === '' ? exchange.session.counters : shared);
    const failing = fail === '' ? count % 2 === 1 : count <= Number(fail);
    return failing
      ? page(exchange, 'unreliable-503', 'Service unavailable', { count: String(count) }, 503)
      : page(exchange, 'unreliable', 'Stock report', { count: String(count) });
  }

  /** Status 200 all along, as portals do: only the text says that it is not available yet. */
  function unavailable(exchange: PortalExchange): PortalAnswer {
    const after = Number(param(exchange, 'after')) || DEFAULT_RELOADS;
    const count = visit(exchange);
    return count <= after
      ? page(exchange, 'unavailable', 'Monthly statement', { count: String(count) })
      : page(exchange, 'available', 'Monthly statement', { count: String(count) });
  }

  function picture(exchange: PortalExchange): PortalAnswer {
    const [, seed = 0, width = 0, height = 0] = (/(\d+)-(\d+)x(\d+)/.exec(exchange.url.pathname) ?? []).map(
      Number,
    );
    if (width < 1 || height < 1 || width * height > 2_000_000) return notFound(exchange);
    const name = exchange.url.pathname;
    const body = pictures.get(name) ?? landscapePng({ seed, width, height });
    pictures.set(name, body);
    return { headers: { 'content-type': 'image/png', 'cache-control': 'max-age=3600' }, body };
  }

  function asset(name: string): PortalAnswer {
    return {
      headers: { 'content-type': CONTENT_TYPES[extname(name)] ?? 'application/octet-stream' },
      body: readFileSync(join(folder, 'assets', name)),
    };
  }

  function notFound(exchange: PortalExchange): PortalAnswer {
    return page(exchange, 'not-found', 'Not found', { path: escapeHtml(exchange.url.pathname) }, 404);
  }

  return async (exchange: PortalExchange): Promise<PortalAnswer> => {
    const { pathname, search } = exchange.url;
    if (!OPEN.test(pathname) && exchange.session.user === null) {
      return redirect(`/login?next=${encodeURIComponent(pathname + search)}`);
    }
    for (const [pattern, handler] of routes) {
      const match = pattern.exec(pathname);
      if (match) return handler(exchange, match[1] ?? '');
    }
    return notFound(exchange);
  };
}

function homeSlots(): Record<string, string> {
  const open = ORDERS.filter((order) => order.status === 'Open').length;
  const held = ORDERS.filter((order) => order.status === 'On hold').length;
  const total = ORDERS.reduce((sum, order) => sum + order.amount, 0);
  return {
    open: String(open),
    held: String(held),
    total: money(total),
    latest: ORDERS.toReversed().slice(0, 5).map(orderRow).join('\n'),
    bars: ORDERS.slice(-12)
      .map((order, index) => {
        const height = Math.max(4, Math.round(order.amount / 900));
        return `<rect x="${index * 30 + 8}" y="${130 - height}" width="20" height="${height}" rx="3"><title>${order.id}</title></rect>`;
      })
      .join(''),
  };
}

function orderRow(order: Order): string {
  const status = order.status.toLowerCase().replaceAll(' ', '-');
  return `<tr data-testid="order-${order.id}"><td><a href="/orders/${order.id}">${order.id}</a></td><td>${escapeHtml(order.customer)}</td><td>${order.date}</td><td><span class="badge ${status}">${order.status}</span></td><td class="number">${money(order.amount)}</td></tr>`;
}

/** How often this path was asked for with this query, this time included: by this session, or by all together. */
function visit(exchange: PortalExchange, counters = exchange.session.counters): number {
  const name = exchange.url.pathname + exchange.url.search;
  const count = (counters.get(name) ?? 0) + 1;
  counters.set(name, count);
  return count;
}

async function answerLate(exchange: PortalExchange, name: string, defaultMs: number): Promise<void> {
  const asked = exchange.url.searchParams.get(name);
  const ms = Math.min(asked === null ? defaultMs : Number(asked) || 0, MAX_DELAY_MS);
  await wait(ms, exchange.signal).catch(() => undefined);
}

function param(exchange: PortalExchange, name: string): string {
  return exchange.url.searchParams.get(name) ?? '';
}

function formOf(exchange: PortalExchange): URLSearchParams {
  return new URLSearchParams(exchange.body.toString('utf8'));
}

/** Only paths of our own. */
function safeNext(next: string): string {
  return /^\/(?![/\\])/.test(next) ? next : '/';
}

function redirect(location: string): PortalAnswer {
  return { status: 303, headers: { location }, body: '' };
}

function json(value: unknown): PortalAnswer {
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

function download(contentType: string, name: string, body: string | Buffer): PortalAnswer {
  return {
    headers: { 'content-type': contentType, 'content-disposition': `attachment; filename="${name}"` },
    body,
  };
}

/** Slots are `{{name}}`; values are HTML already. */
function fill(template: string, slots: Record<string, string>): string {
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_all, name: string) => slots[name] ?? '');
}

function escapeAll(order: Order): Record<string, string> {
  return Object.fromEntries(Object.entries(order).map(([name, value]) => [name, escapeHtml(String(value))]));
}
