/**
 * The pages that are watched, which carry their clock in their pixels, and the viewer's side: a page with noVNC
 * for a bare WebSocket, and what reads the clock back from whatever canvas noVNC paints.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const VIEW = { width: 1280, height: 800 };
export const PAGES = ['moving', 'typing', 'still'] as const;
export type PageName = (typeof PAGES)[number];

/** Side of a cell: two blocks of a JPEG, so that neighbours do not bleed into it. */
const CELL_PX = 16;
/** 32 bits of the clock and 8 of a checksum: one row, as wide as half the page. */
const CELLS = 40;
/** Somebody types ten letters a second. */
const LETTER_MS = 100;

const NOVNC = fileURLToPath(new URL('../../node_modules/@novnc/novnc', import.meta.url));

export interface PageServer {
  url: string;
  /** The next time that a page of this name runs in a browser. */
  shown(name: PageName): Promise<void>;
  close(): void;
}

export async function servePages(): Promise<PageServer> {
  const waiting = new Map<string, () => void>();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://pages');
    const [, kind, ...rest] = pathname.split('/');
    const send = (type: string, body: string | Buffer): void => {
      response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
    };
    if (kind === 'page') send('text/html', pageOf(rest[0] as PageName));
    else if (kind === 'viewer') send('text/html', VIEWER);
    else if (kind === 'novnc') {
      readFile(join(NOVNC, ...rest)).then(
        (body) => send('text/javascript', body),
        () => response.writeHead(404).end(),
      );
    } else {
      if (kind === 'shown') waiting.get(rest[0] ?? '')?.();
      response.writeHead(204).end();
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    shown: (name) =>
      new Promise((resolve) => {
        waiting.set(name, resolve);
      }),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function pageOf(name: PageName): string {
  return `<!doctype html><title>${name}</title><body style="margin:0;overflow:hidden;background:#f4f6fa;font:20px sans-serif">
<canvas id=area width=${VIEW.width / 2} height=${VIEW.height / 2} style="display:block"></canvas>
<p style="margin:20px">Orders of the harbour office, sorted by day. Nothing down here moves.</p>
<p id=text style="margin:20px;width:1100px;overflow-wrap:anywhere"></p>
<script>
const area = document.getElementById('area').getContext('2d');
function stamp() {
  const now = Date.now() % 2 ** 32;
  const bytes = [now >>> 24, (now >>> 16) & 255, (now >>> 8) & 255, now & 255];
  bytes.push((bytes[0] + bytes[1] + bytes[2] + bytes[3]) & 255 ^ 90);
  for (let cell = 0; cell < ${CELLS}; cell += 1) {
    area.fillStyle = bytes[cell >> 3] & (128 >> (cell & 7)) ? '#fff' : '#000';
    area.fillRect(cell * ${CELL_PX}, 0, ${CELL_PX}, ${CELL_PX});
  }
}
function move(ms) {
  requestAnimationFrame(move);
  for (let row = 0; row < 16; row += 1) {
    for (let column = 0; column < 20; column += 1) {
      area.fillStyle = 'hsl(' + ((row * 24 + column * 11 + ms / 10) % 360) + ' 70% 60%)';
      area.fillRect(column * 32, 16 + row * 24, 32, 24);
    }
  }
  area.fillStyle = '#123';
  area.font = '40px sans-serif';
  area.fillText('Sailing ' + Math.round(ms), 40 + (ms / 5) % 300, 200);
  stamp();
}
stamp();
if ('${name}' === 'moving') requestAnimationFrame(move);
if ('${name}' === 'typing') {
  let count = 0;
  setInterval(() => {
    count = (count + 1) % 300;
    document.getElementById('text').textContent = 'the quick brown fox jumps over '.repeat(10).slice(0, count);
    stamp();
  }, ${LETTER_MS});
}
fetch('/shown/${name}');
</script>`;
}

const VIEWER = `<!doctype html><title>viewer</title>
<body style="margin:0"><div id=screen style="width:${VIEW.width}px;height:${VIEW.height}px"></div>
<script type=module>
import RFB from '/novnc/core/rfb.js';
const rfb = new RFB(document.getElementById('screen'), location.hash.slice(1), { shared: true });
rfb.viewOnly = true;
rfb.scaleViewport = true;
</script>`;

/** What the viewer has seen; its times are of the machine's one clock. */
export interface Seen {
  bytes: number;
  openedMs: number;
  firstMs: number;
  /** Of each frame: how long after it was drawn it was seen. */
  latenciesMs: number[];
}

/** Runs in the viewer's page before its own scripts. Fills `globalThis.seen`. */
export const READER = `
globalThis.seen = { bytes: 0, openedMs: 0, firstMs: 0, latenciesMs: [] };
// No subclass: noVNC looks for the socket's methods one prototype deep only.
globalThis.WebSocket = new Proxy(WebSocket, {
  construct(target, parts) {
    const socket = new target(...parts);
    seen.openedMs = Date.now();
    socket.addEventListener('message', ({ data }) => {
      seen.bytes += data.byteLength ?? data.size ?? data.length;
    });
    return socket;
  },
});
let last = -1;
(function look() {
  requestAnimationFrame(look);
  const canvas = document.querySelector('#screen canvas');
  if (!canvas || canvas.width < ${CELLS * CELL_PX}) return;
  const { data } = canvas.getContext('2d').getImageData(0, ${CELL_PX / 2}, ${CELLS * CELL_PX}, 1);
  const bytes = [0, 0, 0, 0, 0];
  for (let cell = 0; cell < ${CELLS}; cell += 1) {
    if (data[(cell * ${CELL_PX} + ${CELL_PX / 2}) * 4] > 127) bytes[cell >> 3] |= 128 >> (cell & 7);
  }
  if (((bytes[0] + bytes[1] + bytes[2] + bytes[3]) & 255 ^ 90) !== bytes[4]) return;
  const clock = ((bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]) >>> 0;
  if (clock === last) return;
  last = clock;
  const now = Date.now();
  seen.firstMs ||= now;
  seen.latenciesMs.push((now % 2 ** 32) - clock);
})();`;
