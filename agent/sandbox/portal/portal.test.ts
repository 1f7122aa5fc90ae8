import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from 'vitest';
import { launchTestBrowser } from '../../../test/fixtures/pages/fixtures.ts';
import { PORTAL_USER, startPortal, type Portal } from './portal.ts';

let portal: Portal;
beforeAll(async () => {
  portal = await startPortal();
});
afterAll(async () => {
  await portal.close();
});

/** A client that keeps its session cookie. */
function client() {
  let cookie = '';
  return async (path: string, init: RequestInit = {}): Promise<Response> => {
    const answer = await fetch(portal.url + path, {
      redirect: 'manual',
      ...init,
      headers: { ...(init.headers as Record<string, string>), cookie },
    });
    cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? cookie;
    return answer;
  };
}

async function signedIn(): Promise<ReturnType<typeof client>> {
  const get = client();
  await get('/login', {
    method: 'POST',
    body: new URLSearchParams({ username: PORTAL_USER.name, password: PORTAL_USER.password }),
  });
  return get;
}

describe('over HTTP', () => {
  it('pages want a sign-in and come back to where one was going', async () => {
    const get = client();
    const answer = await get('/orders?page=2');
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe('/login?next=%2Forders%3Fpage%3D2');
  });

  it('a wrong password is told and signs nobody in', async () => {
    const get = client();
    const answer = await get('/login', {
      method: 'POST',
      body: new URLSearchParams({ username: 'demo', password: 'wrong' }),
    });
    expect(answer.status).toBe(401);
    expect(await answer.text()).toContain('The user name or password is wrong.');
    expect((await get('/')).status).toBe(303);
  });

  it('a sign-in never leads to another site', async () => {
    const get = client();
    const answer = await get('/login', {
      method: 'POST',
      body: new URLSearchParams({
        username: PORTAL_USER.name,
        password: PORTAL_USER.password,
        next: '//evil.example',
      }),
    });
    expect(answer.headers.get('location')).toBe('/');
  });

  it('without ?fail every second request of a session fails, with it the first ones', async () => {
    const get = client();
    const statuses = async (path: string): Promise<number[]> => {
      const seen: number[] = [];
      for (let i = 0; i < 4; i += 1) seen.push((await get(path)).status);
      return seen;
    };
    expect(await statuses('/unreliable')).toEqual([503, 200, 503, 200]);
    expect(await statuses('/unreliable?fail=2')).toEqual([503, 503, 200, 200]);
  });

  it('the unavailable page becomes available after N reloads, with status 200 all along', async () => {
    const get = client();
    const seen: boolean[] = [];
    for (let i = 0; i < 4; i += 1) {
      const answer = await get('/unavailable?after=2');
      expect(answer.status).toBe(200);
      seen.push((await answer.text()).includes('currently unavailable'));
    }
    expect(seen).toEqual([true, true, false, false]);
  });

  it('downloads have a name and a type', async () => {
    const get = await signedIn();
    const csv = await get('/orders.csv');
    expect(csv.headers.get('content-disposition')).toContain('orders.csv');
    expect((await csv.text()).split('\r\n')).toHaveLength(59);
    const pdf = await get('/orders/SO-1001/invoice.pdf');
    expect(pdf.headers.get('content-type')).toBe('application/pdf');
    expect((await pdf.text()).startsWith('%PDF-1.4')).toBe(true);
  });

  it('requests are counted per path', async () => {
    portal.requests.clear();
    const get = await signedIn();
    await get('/orders?page=1');
    await get('/orders?page=2');
    expect(portal.requests.count('/orders')).toBe(2);
    expect(portal.requests.counts()).toEqual({ '/login': 1, '/orders': 2 });
  });

  it('closing ends a page that is still waiting', async () => {
    const other = await startPortal();
    const waiting = fetch(`${other.url}/slow?ms=60000`).then(
      () => 'answered',
      () => 'cut',
    );
    await expect.poll(() => other.requests.count('/slow')).toBe(1);
    await other.close();
    expect(await waiting).toBe('cut');
  });
});

describe('in a browser', () => {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    browser = await launchTestBrowser();
  });
  afterAll(async () => {
    await browser.close();
  });
  beforeEach(async () => {
    page = await browser.newPage();
    await page.goto(`${portal.url}/login`);
    await page.getByLabel('User name').fill(PORTAL_USER.name);
    await page.getByLabel('Password').fill(PORTAL_USER.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByTestId('signed-in-as').waitFor();
  });
  afterEach(async () => {
    await page.context().close();
  });

  it('every picture of the overview really is one', async () => {
    await page.waitForLoadState('load');
    const broken = await page.$$eval(
      'img',
      (images) => images.filter((image) => image.naturalWidth === 0).length,
    );
    expect(broken).toBe(0);
  });

  it('search results come late, and lead to the order', async () => {
    await page.goto(`${portal.url}/search?delay=200`);
    await page.getByLabel('Search orders').fill('SO-1004');
    await page.getByTestId('search-button').click();
    await page.getByText('Searching').waitFor();
    await page.getByText('1 order found').waitFor();
    await page.getByRole('link', { name: 'SO-1004' }).click();
    expect(await page.getByTestId('order-id').textContent()).toBe('SO-1004');
  });

  it('frames, shadow DOM, dialogs, pop-ups and uploads answer', async () => {
    await page.goto(`${portal.url}/frames`);
    const frame = page.frameLocator('iframe');
    await frame.getByLabel('Reference').fill('R-1');
    await frame.getByRole('button', { name: 'Send reference' }).click();
    await frame.getByText('Received: R-1').waitFor();

    await page.goto(`${portal.url}/widgets`);
    await page.getByRole('button', { name: 'Rate 4 stars' }).click();
    await page.getByLabel('Comment').fill('good');
    await page.getByTestId('send-rating').click();
    expect(await page.getByTestId('rating-result').textContent()).toBe('Thank you: 4 of 5, "good"');

    await page.goto(`${portal.url}/dialogs`);
    page.once('dialog', (dialog) => {
      dialog.accept().catch(() => undefined);
    });
    await page.getByTestId('confirm').click();
    await page.getByText('Draft deleted').waitFor();

    await page.goto(`${portal.url}/popup`);
    const opened = page.waitForEvent('popup');
    await page.getByTestId('open-popup').click();
    await (await opened).getByRole('button', { name: 'Lantern Works' }).click();
    await page.getByText('Chosen: Lantern Works').waitFor();

    await page.goto(`${portal.url}/upload`);
    await page
      .getByLabel('Documents')
      .setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') });
    await page.getByTestId('upload-button').click();
    await page.getByText('2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824').waitFor();
  });
});
