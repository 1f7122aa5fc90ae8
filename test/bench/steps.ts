/** The same fifteen short steps, as a script and as a plain Playwright program. */
import type { Page } from 'playwright';

const SEARCH_DELAY_MS = 50;

/** @param delayMs before each step: for runs that are to last */
export function fifteenSteps(portal: string, delayMs?: number): object {
  return {
    name: 'fifteen-steps',
    ...(delayMs === undefined ? {} : { default_delay: delayMs }),
    steps: [
      { action: 'navigate', name: 'Open', url: `${portal}/login` },
      { action: 'fill', name: 'User', selector: '#username', value: 'demo' },
      { action: 'fill', name: 'Password', selector: '#password', value: 'harbour-lights' },
      { action: 'click', name: 'Sign in', selector: '[data-testid=sign-in]' },
      { action: 'wait_for_selector', name: 'Signed in', selector: '[data-testid=signed-in-as]' },
      { action: 'navigate', name: 'Search page', url: `${portal}/search?delay=${SEARCH_DELAY_MS}` },
      { action: 'fill', name: 'Query', selector: '#q', value: 'Oak shelf' },
      { action: 'press', name: 'Search', keys: ['Enter'] },
      { action: 'wait_for_selector', name: 'Results', selector: '#search-results tbody tr' },
      { action: 'extract_table', name: 'Matches', selector: '#search-results' },
      { action: 'navigate', name: 'Orders', url: `${portal}/orders` },
      { action: 'click', name: 'Next page', selector: 'nav.pager a >> text=Next' },
      {
        action: 'extract_dom',
        name: 'Range',
        extractions: [{ name: 'range', strategy: 'css', selector: '[data-testid=page-range]' }],
      },
      { action: 'navigate', name: 'Order', url: `${portal}/orders/SO-1005` },
      {
        action: 'extract_dom',
        name: 'Amount',
        extractions: [{ name: 'amount', strategy: 'css', selector: '[data-testid=order-amount]' }],
      },
    ],
  };
}

/** @param after called after each step, for a program that records */
export async function plainFifteenSteps(
  page: Page,
  portal: string,
  after: () => Promise<void>,
): Promise<void> {
  const steps: (() => Promise<unknown>)[] = [
    () => page.goto(`${portal}/login`),
    () => page.fill('#username', 'demo'),
    () => page.fill('#password', 'harbour-lights'),
    () => page.click('[data-testid=sign-in]'),
    () => page.waitForSelector('[data-testid=signed-in-as]'),
    () => page.goto(`${portal}/search?delay=${SEARCH_DELAY_MS}`),
    () => page.fill('#q', 'Oak shelf'),
    () => page.keyboard.press('Enter'),
    () => page.waitForSelector('#search-results tbody tr'),
    () => page.locator('#search-results tr').allInnerTexts(),
    () => page.goto(`${portal}/orders`),
    () => page.click('nav.pager a >> text=Next'),
    () => page.locator('[data-testid=page-range]').innerText(),
    () => page.goto(`${portal}/orders/SO-1005`),
    () => page.locator('[data-testid=order-amount]').innerText(),
  ];
  for (const step of steps) {
    await step();
    await after();
  }
}
