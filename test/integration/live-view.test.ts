import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { strFromU8, unzipSync } from 'fflate';
import type { Browser, BrowserContextOptions, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openTestApi, type TestApi } from '../fixtures/api.ts';
import { launchTestBrowser, startFixtureSite, type FixtureSite } from '../fixtures/pages/fixtures.ts';
import { pixelsOf } from '../support/pictures.ts';

const SOON_MS = 20_000;
const FINGER_MS = 16;
const TYPED = 'quiet moor 4711 ä€';
const FORM = `<body style="margin:0;min-height:100vh;font:28px monospace;background:#dfe8f5"
  onwheel="document.querySelector('h1').textContent=event.deltaY>0?'Scrolled down':'Scrolled up'">
  <input id=name style="position:absolute;left:40px;top:60px;width:600px;font:28px monospace">
  <button style="position:absolute;left:40px;top:140px;font:28px monospace"
    onclick="document.querySelector('h1').textContent='Clicked '+event.detail">Press</button>
  <h1 style="position:absolute;left:40px;top:220px">Harbour</h1>
  <a target=_blank href="/other" style="position:absolute;left:40px;top:400px">other</a>`;

let site: FixtureSite;
let api: TestApi;
let browser: Browser;
const pages: Page[] = [];

const soon = { timeout: SOON_MS };

beforeAll(async () => {
  site = await startFixtureSite();
  site.page('/', FORM);
  site.page('/other', '<body style="background:#123456"><h1 style="color:white">Other');
  api = await openTestApi({ variables: { LBA_RECORDING_KEEP_LEVEL: 'TRACE' } });
  browser = await launchTestBrowser();
});
afterEach(async () => {
  for (const page of pages.splice(0)) await page.close();
});
afterAll(async () => {
  await browser.close();
  await api.close();
  await site.close();
});

async function start(steps: object[] = [{ action: 'human', message: 'Fill in your name' }]): Promise<string> {
  const script = { name: 'Watched', steps: [{ action: 'navigate', url: `${site.url}/` }, ...steps] };
  const { json, text, status } = await api.call('POST', '/runs', { body: { script } });
  expect(status, text).toBe(201);
  const { run_id: id } = json as { run_id: string };
  await expect.poll(() => api.agent.watchable.get(id)?.page().url(), soon).toBe(`${site.url}/`);
  return id;
}

async function ticket(id: string, role: 'viewer' | 'operator' = 'operator'): Promise<string> {
  const { json, text, status } = await api.call('POST', `/runs/${id}/live-tickets`, { body: { role } });
  expect(status, text).toBe(201);
  return (json as { path: string }).path;
}

async function open(path: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1340, height: 900 }, ...options });
  pages.push(page);
  page.on('pageerror', (error) => {
    throw error;
  });
  await page.goto(`${api.api.url}${path}`);
  return page;
}

const status = (page: Page): Promise<string | null> => page.textContent('#status');
const state = (id: string): string => (api.agent.runs.get(id) as { state: string }).state;
const cancel = async (id: string): Promise<void> => {
  await api.call('POST', `/runs/${id}/cancel`);
  await expect.poll(() => state(id), soon).toBe('cancelled');
};

/** Mean difference in brightness of what the viewer shows and what the run's page is. */
async function difference(viewer: Page, watched: Page): Promise<number> {
  const shown = await viewer.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('#screen canvas');
    return canvas && canvas.width > 0 ? canvas.toDataURL('image/png') : '';
  });
  if (shown === '') return 255;
  const size = { width: 640, height: 400 };
  const seen = await pixelsOf(Buffer.from(shown.split(',')[1] ?? '', 'base64'), size);
  const real = await pixelsOf(await watched.screenshot(), size);
  let sum = 0;
  for (let y = 0; y < size.height; y += 2) {
    for (let x = 0; x < size.width; x += 2) sum += Math.abs(seen.at(x, y) - real.at(x, y));
  }
  return sum / ((size.width / 2) * (size.height / 2));
}

/** Where a place of the page is on the viewer's canvas. */
async function at(viewer: Page, x: number, y: number): Promise<[number, number]> {
  const box = (await viewer.locator('#screen canvas').boundingBox())!;
  const width = await viewer.evaluate(
    () => document.querySelector<HTMLCanvasElement>('#screen canvas')!.width,
  );
  return [box.x + (x * box.width) / width, box.y + (y * box.width) / width];
}

/** Looks into a page unseen: what a test asks through Playwright is in the run's trace. */
async function peek(page: Page, expression: string): Promise<unknown> {
  const cdp = await page.context().newCDPSession(page);
  const { result } = await cdp.send('Runtime.evaluate', { expression });
  await cdp.detach();
  return result.value;
}

function everythingOf(id: string): Record<string, string> {
  const folder = join(api.agent.paths.runs, id);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    files.flatMap(({ parentPath, name }) => {
      const bytes = readFileSync(join(parentPath, name));
      if (!name.endsWith('.zip')) return [[name, bytes.toString('utf8')]];
      return Object.entries(unzipSync(bytes)).map(([inner, file]) => [`${name}/${inner}`, strFromU8(file)]);
    }),
  );
}

describe('watching', () => {
  test('the canvas shows what the page is, and follows it', async () => {
    const id = await start();
    const watched = api.agent.watchable.get(id)!.page();
    const viewer = await open(await ticket(id, 'viewer'));
    await expect.poll(() => difference(viewer, watched), soon).toBeLessThan(3);
    await watched.evaluate(() => {
      document.body.style.background = '#203040';
    });
    await expect.poll(() => difference(viewer, watched), soon).toBeLessThan(3);
    await watched.setViewportSize({ width: 900, height: 500 });
    await expect.poll(() => difference(viewer, watched), soon).toBeLessThan(3);
    expect(await viewer.isVisible('#take')).toBe(false);
    await cancel(id);
    await expect.poll(() => viewer.textContent('#over-title'), soon).toBe('The run has ended');
  });

  test('typing costs a small part of whole pictures, and the canvas is the page afterwards', async () => {
    const id = await start();
    const watched = api.agent.watchable.get(id)!.page();
    const lines = 'The harbour office sorts its orders by day. '.repeat(60);
    await watched.evaluate((text) => document.body.append(text), lines);
    const viewer = await open(await ticket(id, 'viewer'));
    await expect.poll(() => difference(viewer, watched), soon).toBeLessThan(3);
    const sizes: number[] = [];
    viewer.on('websocket', (socket) => {
      socket.on('framereceived', ({ payload }) => {
        if (typeof payload !== 'string') sizes.push(payload.length);
      });
    });
    await viewer.reload();
    await expect.poll(() => difference(viewer, watched), soon).toBeLessThan(3);
    const whole = Math.max(...sizes);
    sizes.length = 0;
    // The first may be whole: the page has just moved.
    for (const letter of 'quiet moor') {
      const before = sizes.length;
      await watched.locator('#name').press(letter);
      await expect.poll(() => sizes.length, soon).toBeGreaterThan(before);
    }
    const middle = sizes.toSorted((a, b) => a - b)[Math.floor(sizes.length / 2)];
    expect(middle).toBeLessThan(whole / 20);
    await expect.poll(() => difference(viewer, watched), soon).toBeLessThan(3);
    await cancel(id);
  });

  test('the page can be loaded again, until its key is revoked', async () => {
    const id = await start();
    const key = await api.key({ name: 'watcher', scopes: ['read'] });
    const answer = await api.call('POST', `/runs/${id}/live-tickets`, {
      key: key.key,
      body: { role: 'viewer' },
    });
    const viewer = await open((answer.json as { path: string }).path);
    await expect.poll(() => status(viewer), soon).toContain('You watch');
    await viewer.reload();
    await expect.poll(() => status(viewer), soon).toContain('You watch');
    await api.call('DELETE', `/keys/${key.key_id}`);
    await viewer.reload();
    await expect.poll(() => viewer.textContent('#over-words'), soon).toContain('cannot be used any more');
    await cancel(id);
  });

  test('another page of the browser can be looked at', async () => {
    const id = await start();
    const run = api.agent.watchable.get(id)!;
    const viewer = await open(await ticket(id, 'viewer'));
    const other = await run.context.newPage();
    await other.goto(`${site.url}/other`);
    await viewer.getByRole('button', { name: '/other' }).click();
    await expect.poll(() => difference(viewer, other), soon).toBeLessThan(3);
    await other.close();
    await expect.poll(() => difference(viewer, run.page()), soon).toBeLessThan(3);
    await cancel(id);
  });
});

describe('taking over', () => {
  test('a person types and clicks through the canvas, gives back, and it is in no artifact', async () => {
    const id = await start([
      { action: 'human', message: 'Fill in your name' },
      { action: 'extract_dom', extractions: [{ name: 'seen', strategy: 'css', selector: 'h1' }] },
    ]);
    const watched = api.agent.watchable.get(id)!.page();
    const viewer = await open(await ticket(id));
    await expect.poll(() => viewer.textContent('#asked'), soon).toContain('Fill in your name');
    await viewer.getByRole('button', { name: 'Take over' }).click();
    await expect.poll(() => status(viewer), soon).toContain('You have mouse and keyboard');
    await viewer.mouse.click(...(await at(viewer, 100, 80)));
    await viewer.keyboard.type('quieX');
    await viewer.keyboard.press('Backspace');
    await viewer.keyboard.type('t moor 4711 ');
    // As noVNC sends what no key of a US keyboard makes.
    await viewer.evaluate(() => {
      const { rfb } = (globalThis as unknown as { liveView: { rfb: { sendKey(keysym: number): void } } })
        .liveView;
      for (const keysym of [0xe4, 0x20ac]) rfb.sendKey(keysym);
    });
    await expect.poll(() => peek(watched, 'document.querySelector("#name").value'), soon).toBe(TYPED);
    await viewer.mouse.dblclick(...(await at(viewer, 80, 160)));
    await expect
      .poll(() => peek(watched, 'document.querySelector("h1").textContent'), soon)
      .toBe('Clicked 2');
    await viewer.keyboard.down('Control');
    await viewer.keyboard.up('Control');
    await viewer.getByRole('button', { name: 'Give back' }).click();
    await expect.poll(() => status(viewer), soon).not.toContain('You have');
    expect(await peek(watched, 'document.querySelector("#name").value')).toBe(TYPED);
    await viewer.getByRole('button', { name: 'Resume' }).click();
    await expect.poll(() => state(id), soon).toBe('succeeded');
    const { text: row } = await api.call('GET', `/runs/${id}`);
    expect(row).toContain('Clicked 2');
    expect(row).toContain('takeover');
    const all = { ...everythingOf(id), row };
    const leaks = Object.entries(all).filter(([, text]) => text.includes('quiet moor'));
    expect(leaks.map(([name]) => name)).toEqual([]);
  });

  test('fingers do: a tap clicks, two that move scroll', async () => {
    const id = await start();
    const watched = api.agent.watchable.get(id)!.page();
    const phone = { viewport: { width: 844, height: 390 }, hasTouch: true, isMobile: true };
    const viewer = await open(await ticket(id), phone);
    await viewer.getByRole('button', { name: 'Take over' }).tap();
    await expect.poll(() => status(viewer), soon).toContain('You have mouse and keyboard');
    const title = () => peek(watched, 'document.querySelector("h1").textContent');
    await viewer.touchscreen.tap(...(await at(viewer, 80, 160)));
    await expect.poll(title, soon).toBe('Clicked 1');
    const cdp = await viewer.context().newCDPSession(viewer);
    const [x, y] = await at(viewer, 640, 400);
    const fingers = (up: number) => [
      { x, y: y - up, id: 1 },
      { x: x + 40, y: y - up, id: 2 },
    ];
    const swipe = async (): Promise<void> => {
      await cdp.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: fingers(0) });
      for (let up = 10; up <= 240; up += 10) {
        await cdp.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: fingers(up) });
        // As slow as fingers: noVNC tells two that move from two that tap by the time.
        await viewer.waitForTimeout(FINGER_MS);
      }
      await cdp.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    };
    // On a machine that stands still amid it, fingers move too slowly, and a person swipes again.
    await expect
      .poll(
        async () => {
          await swipe();
          return title();
        },
        { ...soon, interval: 500 },
      )
      .toBe('Scrolled down');
    // The page of the viewer itself stays where it is, and as large.
    expect(await viewer.evaluate(() => [scrollY, visualViewport!.scale])).toEqual([0, 1]);
    await cancel(id);
  });

  test('there is one holder, who is told from the others', async () => {
    const id = await start();
    const [first, second] = [await open(await ticket(id)), await open(await ticket(id))];
    await first.getByRole('button', { name: 'Take over' }).click();
    await expect.poll(() => status(first), soon).toContain('You have');
    await expect.poll(() => status(second), soon).toContain('Somebody else has mouse and keyboard');
    expect(await second.isDisabled('#take')).toBe(true);
    await first.getByRole('button', { name: 'Give back' }).click();
    await second.getByRole('button', { name: 'Take over' }).click();
    await expect.poll(() => status(second), soon).toContain('You have');
    await cancel(id);
  });

  test('pause, resume and cancel are at hand, by keyboard too', async () => {
    const id = await start([{ action: 'wait', duration: 60_000 }]);
    const viewer = await open(await ticket(id));
    await viewer.waitForSelector('#steering:not([hidden])');
    await viewer.focus('#pause');
    await viewer.keyboard.press('Enter');
    const isHeld = (): boolean | undefined => api.agent.engine.gate(id)?.isHeld;
    await expect.poll(isHeld, soon).toBe(true);
    await viewer.getByRole('button', { name: 'Resume' }).click();
    await expect.poll(isHeld, soon).toBe(false);
    await viewer.focus('#cancel');
    await viewer.keyboard.press('Enter');
    await viewer.getByRole('dialog').getByRole('button', { name: 'Cancel run' }).click();
    await expect.poll(() => state(id), soon).toBe('cancelled');
  });
});

test('who comes before the browser is open waits for it', async () => {
  const created = await api.call('POST', '/profiles', { body: { name: 'One at a time' } });
  expect(created.status).toBe(201);
  const begin = async (): Promise<string> => {
    const { json } = await api.call('POST', '/runs', {
      body: {
        profile: 'One at a time',
        script: {
          name: 'Watched',
          steps: [
            { action: 'navigate', url: `${site.url}/` },
            { action: 'human', message: 'Look' },
          ],
        },
      },
    });
    return (json as { run_id: string }).run_id;
  };
  const first = await begin();
  await expect.poll(() => api.agent.watchable.get(first)?.page().url(), soon).toBe(`${site.url}/`);
  const [second, third] = [await begin(), await begin()];
  const [viewer, other] = [await open(await ticket(second)), await open(await ticket(third))];
  await expect.poll(() => viewer.textContent('#notice'), soon).toContain('not opened its browser yet');
  await cancel(third);
  await expect.poll(() => other.textContent('#over-title'), soon).toBe('The run has ended');
  await cancel(first);
  await viewer.waitForSelector('#screen canvas', { timeout: SOON_MS });
  await expect.poll(() => status(viewer), soon).toContain('waits for a person');
  await cancel(second);
});

describe('who may not is told why in words', () => {
  const words = async (path: string): Promise<string> => {
    const viewer = await open(path);
    await viewer.waitForSelector('#over:not([hidden])', { timeout: SOON_MS });
    return (await viewer.textContent('#over-words')) ?? '';
  };

  test('no ticket, a wrong one, a used one, one of another run, a run that is over', async () => {
    const [id, other] = [await start(), await start()];
    expect(await words(`/live/${id}`)).toContain('A ticket opens it once');
    expect(await words(`/live/${id}#ticket=wrong`)).toContain('not known');
    const path = await ticket(id);
    await (await open(path)).waitForSelector('#steering:not([hidden])');
    expect(await words(path)).toContain('used already');
    expect(await words((await ticket(other)).replace(other, id))).toContain('for another run');
    const late = await ticket(other);
    await cancel(other);
    expect(await words(late)).toContain('has ended');
    await cancel(id);
  });

  test('a viewer that sends input', async () => {
    const id = await start();
    const viewer = await open(await ticket(id, 'viewer'));
    await viewer.waitForSelector('#screen canvas');
    await viewer.evaluate(() => {
      const { liveView } = globalThis as unknown as {
        liveView: { channel: { send(data: Uint8Array): void } };
      };
      liveView.channel.send(new Uint8Array([5, 1, 0, 1, 0, 1]));
    });
    await expect.poll(() => viewer.textContent('#over-words'), soon).toContain('for watching');
    await cancel(id);
  });
});
