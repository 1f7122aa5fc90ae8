import type { Browser, BrowserContext, CDPSession, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openBrowser, openPage, servePages, until } from '../../test/support/recording.ts';
import { silentLogger } from '../base/log.ts';
import type { MaskerConfig } from './page/contract.ts';
import type { PageProblem } from './page-problems.ts';
import { PageProbe } from './page-probe.ts';

let browser: Browser;
let site: Awaited<ReturnType<typeof servePages>>;
let context: BrowserContext;
let page: Page;
let problems: PageProblem[];

beforeAll(async () => {
  browser = await openBrowser();
  site = await servePages({
    '/': '<p id="text">harbour-lights</p>',
    '/framed': '<iframe src="/"></iframe><p>outside</p>',
    '/other-site': '<iframe src="{other}/"></iframe>',
    '/refusing': `<meta http-equiv="Content-Security-Policy" content="script-src 'none'"><script>1</script>`,
  });
});
afterAll(async () => {
  await browser.close();
  await site.close();
});
beforeEach(async () => {
  ({ context, page } = await openPage(browser));
  problems = [];
  await page.goto(`${site.url}/`);
});
afterEach(() => context.close());

const NOTHING: MaskerConfig = { selectors: [], values: [], shortValues: [] };

/** What the browser answers instead, call by call; what is not named is answered by the browser. */
type Answers = Record<string, (Error | 'never' | { expression: string } | 'as it is')[]>;

async function open(answers: Answers = {}, options: { frames?: Error; config?: MaskerConfig } = {}) {
  const asked: string[] = [];
  const answering = (session: CDPSession): CDPSession =>
    new Proxy(session, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (name !== 'send') return typeof member === 'function' ? member.bind(target) : member;
        return (method: string, params: object) => {
          asked.push(method);
          const answer = answers[method]?.shift();
          if (answer instanceof Error) return Promise.reject(answer);
          if (answer === 'never') return new Promise(() => {});
          const given = typeof answer === 'object' ? { ...params, ...answer } : params;
          return target.send(method as 'Page.enable', given as never);
        };
      },
    });
  const probe = await PageProbe.open({
    context: new Proxy(context, {
      get(target, name) {
        if (name !== 'newCDPSession') return Reflect.get(target, name) as unknown;
        return async (where: Page) => {
          if (options.frames && (where as unknown) !== page) throw options.frames;
          return answering(await target.newCDPSession(where));
        };
      },
    }),
    page,
    config: options.config ?? NOTHING,
    onPassword: () => {},
    onInvalidSelectors: () => {},
    onProblem: (problem) => problems.push(problem),
    log: silentLogger,
  });
  const count = (method: string): number => asked.filter((one) => one === method).length;
  return { probe, count };
}

const isJpeg = (bytes: Buffer): boolean => bytes.readUInt16BE(0) === 0xffd8;

describe('pictures', () => {
  const refused = new Error('Protocol error (Page.captureScreenshot): Unable to capture screenshot');

  test('what is refused while documents change places is asked for again', async () => {
    const { probe, count } = await open({ 'Page.captureScreenshot': [refused, refused] });
    expect(isJpeg(await probe.viewport(60))).toBe(true);
    expect(count('Page.captureScreenshot')).toBe(3);
  });

  test('what is refused again and again is given up with the reason', async () => {
    const { probe, count } = await open({
      'Page.captureScreenshot': Array.from({ length: 9 }, () => refused),
    });
    await expect(probe.viewport(60)).rejects.toThrow(/Unable to capture/);
    expect(count('Page.captureScreenshot')).toBe(5);
  });

  test('a refusal that does not pass is not asked again', async () => {
    const { probe, count } = await open({ 'Page.captureScreenshot': [new Error('no such target')] });
    await expect(probe.viewport(60)).rejects.toThrow('no such target');
    expect(count('Page.captureScreenshot')).toBe(1);
  });

  test('one that a navigation swallowed is asked for anew, whatever frames do meanwhile', async () => {
    await page.goto(`${site.url}/framed`);
    const { probe, count } = await open({ 'Page.captureScreenshot': ['never'] });
    const picture = probe.viewport(60);
    await page.frames()[1]!.goto(`${site.url}/?again`);
    await page.goto(`${site.url}/`);
    expect(isJpeg(await picture)).toBe(true);
    expect(count('Page.captureScreenshot')).toBe(2);
  });
});

describe('scripts in the page', () => {
  test('a world that a navigation threw away is made anew, masks included', async () => {
    const gone = new Error('Cannot find context with specified id');
    const config = { ...NOTHING, values: ['harbour-lights'] };
    const { probe, count } = await open({ 'Runtime.evaluate': [gone] }, { config });
    await probe.applied();
    expect((await probe.html()).masked).toBe(1);
    expect(count('Page.createIsolatedWorld')).toBe(1);
  });

  test('an error of the script, thrown as one or not, is told', async () => {
    const { probe } = await open({
      'Runtime.evaluate': [{ expression: 'throw new Error("broken")' }, { expression: 'throw 7' }],
    });
    await expect(probe.html()).rejects.toThrow(/broken/);
    await expect(probe.html()).rejects.toThrow(/^7$/);
  });

  test('a frame that goes takes its world along', async () => {
    await page.goto(`${site.url}/framed`);
    const config = { ...NOTHING, values: ['harbour-lights'] };
    const { probe } = await open({}, { config });
    await expect.poll(() => probe.maskedCount()).toBe(1);
    await page.evaluate(() => document.querySelector('iframe')?.remove());
    await expect.poll(() => probe.maskedCount()).toBe(0);
  });

  test('a frame that cannot be reached does not keep the page from being recorded', async () => {
    await page.goto(`${site.url}/other-site`);
    const { probe } = await open({}, { frames: new Error('the browser is busy') });
    await probe.settled();
    expect((await probe.html()).html).toContain('<iframe');
  });

  test('after the end, masks are nobody’s business any more', async () => {
    const { probe } = await open();
    await probe.close();
    await probe.update({ ...NOTHING, values: ['harbour-lights'] });
    expect(probe.settling).toBe(false);
  });
});

test('problems have their kind: what the page wrote, and what the browser refused', async () => {
  await open();
  await page.evaluate(() => console.error('said', undefined, { a: 1 }));
  await page.goto(`${site.url}/refusing`);
  await until(() => problems.some(({ kind }) => kind === 'browser'), 'the refused script');
  expect(problems).toContainEqual(
    expect.objectContaining({ kind: 'console', text: 'said undefined Object' }),
  );
  expect(problems.find(({ kind }) => kind === 'browser')?.text).toMatch(/Content Security Policy/);
});
