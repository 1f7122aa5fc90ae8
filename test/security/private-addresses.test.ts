/**
 * Private addresses: what a script names is open to it and to pages as private as that, and to no page from a
 * public address, whatever way it tries.
 */
import type { Browser, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseHostPattern } from '../../agent/base/host-pattern.ts';
import { giveKey } from '../../agent/browser/give-key.ts';
import { guardOf } from '../../agent/browser/request-guard.ts';
import type { Door } from '../../agent/fence/door.ts';
import type { FenceRules } from '../../agent/fence/rules.ts';
import { startFencedSites, type FencedSites } from '../fixtures/fenced-sites.ts';
import { launchTestBrowser } from '../fixtures/pages/fixtures.ts';
import { WAYS_OUT } from '../fixtures/ways-out.ts';

let sites: FencedSites;
let browser: Browser;
let door: Door;
let page: Page;

beforeAll(async () => {
  [sites, browser] = await Promise.all([startFencedSites(), launchTestBrowser()]);
  sites.page('/redirect', (request, response) => {
    const to = new URL(request.url ?? '', 'http://site').searchParams.get('to') ?? '';
    response.writeHead(302, { location: to }).end();
  });
});
beforeEach(async () => {
  sites.asked.length = 0;
  door = await sites.fence.open({ isPersistent: false });
  const context = await browser.newContext({ proxy: { server: door.address } });
  page = await context.newPage();
  await giveKey(page, door);
});
afterEach(async () => {
  await page.context().close();
  await door.close();
});
afterAll(async () => {
  await browser.close();
  await sites.close();
});

const enter = async (named: string[], more: Partial<FenceRules> = {}): Promise<void> => {
  const rules = { requests: null, privateAddresses: 'named', privateHosts: [], ...more } as const;
  await door.gate.setRules({ ...rules, named: named.map(parseHostPattern) });
  await door.gate.setView(guardOf(browser).view(page.context(), door.gate), { isKept: false });
};

const listed = () => door.gate.refusals.listed.map(({ host, reason }) => `${host} ${reason}`);

describe.each(Object.entries(WAYS_OUT))('%s', (way, script) => {
  test('a public page does not reach a private host that the script names', async () => {
    sites.page('/out', `<script>${script(sites.url('portal'), `way-${way}`)}</script>`);
    await enter(['shop.test', 'portal.test']);
    await page.goto(`${sites.url('shop')}/out`);
    await expect.poll(listed).toContain('portal.test private_from_public');
    expect(sites.asked.filter((line) => line.includes(`/way-${way}`))).toEqual([]);
  });

  test('a private page reaches another private host, also beside a public frame', async () => {
    sites.page('/ad', 'an advertisement');
    sites.page(
      '/in',
      `<iframe src="${sites.url('ads')}/ad"></iframe><script>onload = () => { ${script(sites.url('erp'), `way-${way}`)} }</script>`,
    );
    await enter(['portal.test']);
    await page.goto(`${sites.url('portal')}/in`);
    await expect.poll(() => sites.asked.join()).toContain(`erp.test/way-${way}`);
    expect(sites.asked).toContain('GET ads.test/ad');
    expect(listed()).toEqual([]);
  });
});
