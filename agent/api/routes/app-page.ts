/**
 * The app's page (renderer/), for people whose agent has no window of its own. The page itself says nothing
 * about this machine and needs no key; its key is in the part of the address that browsers do not send.
 */
import { createReadStream, existsSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { ApiError } from '../problem.ts';

/** The component library writes `style` elements; pictures and videos of runs come as blobs, with the key. */
export const APP_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src blob:; font-src 'self'; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
};
/** As the bundler names its files. */
const ASSET = /^[\w-]+(?:\.[\w-]+)*\.(?:css|js|png|svg)$/;
/** Their names hold their digest. */
const FOREVER = 'public, max-age=31536000, immutable';

export function appPageRoutes(): (app: FastifyInstance) => Promise<void> {
  const hidden = { config: { scope: 'none' as const }, schema: { hide: true } };
  return async (app) => {
    app.get('/app', hidden, async (_request, reply) => reply.redirect('/app/', 308));
    app.get('/app/', hidden, async (_request, reply) =>
      reply
        .headers({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': APP_POLICY })
        .send(createReadStream(builtFile('index.html'))),
    );
    app.get<{ Params: { name: string } }>('/app/assets/:name', hidden, async (request, reply) => {
      const { name } = request.params;
      if (!ASSET.test(name)) throw new ApiError(404, 'BrowserAgent.NotFound', 'The app has no such file.');
      return reply
        .headers({ 'content-type': TYPES[extname(name)]!, 'cache-control': FOREVER })
        .send(createReadStream(builtFile(join('assets', name))));
    });
  };
}

/** From the build (`dist/agent/…`) and from source alike. @throws ApiError 404 */
function builtFile(path: string): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, 'dist', 'renderer', path);
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) {
      throw new ApiError(404, 'BrowserAgent.NotFound', 'The app is not part of this installation.', {
        hint: 'From source, "npm run build" makes it.',
      });
    }
  }
}
