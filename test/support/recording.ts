import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright';
import { launchTestProfile } from '../fixtures/pages/fixtures.ts';

export const VIEWPORT = { width: 800, height: 600 };

export { launchTestBrowser as openBrowser } from '../fixtures/pages/fixtures.ts';

export async function openPage(browser: Browser): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({ viewport: VIEWPORT });
  return { context, page: await context.newPage() };
}

/** A browser with a profile of its own below `folder`. */
export function openProfile(folder: string): Promise<BrowserContext> {
  return launchTestProfile(join(folder, 'profile'), { viewport: VIEWPORT });
}

export type Route = string | { body: string | Buffer; type?: string; status?: number; headers?: object };

/** A web server whose pages are given by path; `{origin}` and `{other}` in them become its two addresses. */
export async function servePages(routes: Record<string, Route>): Promise<{
  url: string;
  /** The same pages from another site: browsers keep it in a process of its own. */
  other: string;
  close(): Promise<void>;
}> {
  let url = '';
  let other = '';
  const server = createServer((request, response) => {
    const route = routes[new URL(request.url ?? '/', url).pathname];
    const { body, type, status, headers } =
      typeof route === 'string' || route === undefined
        ? {
            body: route ?? 'not found',
            type: undefined,
            status: route === undefined ? 404 : 200,
            headers: {},
          }
        : route;
    response.writeHead(status ?? 200, { 'content-type': type ?? 'text/html; charset=utf-8', ...headers });
    response.end(
      typeof body === 'string' ? body.replaceAll('{origin}', url).replaceAll('{other}', other) : body,
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  url = `http://127.0.0.1:${port}`;
  other = `http://localhost:${port}`;
  return {
    url,
    other,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Waits until `condition` holds, looking again after each turn of the clock. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${what} did not happen within 20 s`);
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}
