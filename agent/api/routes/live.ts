/**
 * The live view: the page that shows a run, with noVNC's own files from its package, and the WebSocket that it
 * watches through. The page itself says nothing about this machine and needs no key; its ticket is in the part
 * of the address that browsers do not send.
 */
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { WebSocketServer } from 'ws';
import { z } from 'zod';
import { resourceFolder } from '../../base/resources.ts';
import type { LiveView } from '../../live/live-view.ts';
import type { ApiPorts } from '../ports.ts';
import { ApiError } from '../problem.ts';
import { becomeWebSocket } from '../upgrades.ts';

/** noVNC draws frames through `data:` images: without that it stays black and says nothing. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

const PAGE_FILES = {
  'live.js': 'text/javascript; charset=utf-8',
  'live.css': 'text/css; charset=utf-8',
} as const;
/** Modules of noVNC, below its folder. */
const MODULE_PATH = /^(?:core|vendor)\/(?:[a-z0-9_-]+\/)*[a-z0-9_.-]+\.js$/i;

export function liveRoutes(ports: ApiPorts): FastifyPluginAsyncZod {
  let made: Promise<{ view: LiveView; server: WebSocketServer }> | undefined;
  const make = async (): Promise<{ view: LiveView; server: WebSocketServer }> => {
    const [view, { MAX_MESSAGE_BYTES, chooseProtocol }, { WebSocketServer: Server }] = await Promise.all([
      ports.liveView(),
      import('../../live/live-view.ts'),
      import('ws'),
    ]);
    const server = new Server({
      noServer: true,
      clientTracking: false,
      // Pictures are compressed already.
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
      handleProtocols: chooseProtocol,
    });
    return { view, server };
  };

  return async (app) => {
    app.addHook('onClose', async () => (await made)?.view.close());
    app.get(
      '/runs/:run_id/live',
      {
        // The ticket is looked at when the connection is there: a browser shows no other answer to its page.
        config: { scope: 'none', isStream: true },
        exposeHeadRoute: false,
        schema: { hide: true, params: z.object({ run_id: z.string().max(100) }) },
      },
      async (request, reply) => {
        const { view, server } = await (made ??= make());
        return becomeWebSocket(request, reply, {
          server,
          hint: 'POST …/live-tickets answers with the path of a page that shows the run.',
          onOpen: (ws) => view.connect(ws, request.params.run_id, request.raw),
        });
      },
    );
  };
}

/** Beside the API, not below it: it is for people. Pages of `origins` may show it in a frame. */
export function livePageRoutes(origins: readonly string[]): (app: FastifyInstance) => Promise<void> {
  const policy = [PAGE_POLICY, ...origins].join(' ');
  const hidden = { config: { scope: 'none' as const }, schema: { hide: true } };
  return async (app) => {
    app.get('/live/:run_id', hidden, async (_request, reply) =>
      reply
        .headers({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy })
        .send(createReadStream(join(resourceFolder('live'), 'live.html'))),
    );
    for (const [name, type] of Object.entries(PAGE_FILES)) {
      app.get(`/live/files/${name}`, hidden, async (_request, reply) =>
        reply.header('content-type', type).send(createReadStream(join(resourceFolder('live'), name))),
      );
    }
    app.get<{ Params: { '*': string } }>('/live/novnc/*', hidden, async (request, reply) => {
      const path = request.params['*'];
      if (!MODULE_PATH.test(path))
        throw new ApiError(404, 'BrowserAgent.NotFound', 'noVNC has no such module.');
      return reply
        .header('content-type', 'text/javascript; charset=utf-8')
        .send(createReadStream(join(novncFolder(), path)));
    });
  };
}

function novncFolder(): string {
  // Its only export is core/rfb.js.
  return dirname(dirname(createRequire(import.meta.url).resolve('@novnc/novnc')));
}
