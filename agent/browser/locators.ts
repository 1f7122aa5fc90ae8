import type { Frame, FrameLocator, Locator as PageLocator, Page } from 'playwright';
import { AgentError } from '../base/errors.ts';
import { compilePattern, readSlashed, requirePattern } from '../base/pattern.ts';
import type { Locator } from '../script/schema.ts';
import { fieldSelector, frameSelector, xpathSelector } from './form-field.ts';

/** What a step acts on. A point has no element behind it that could be waited for. */
export type Target =
  | { kind: 'element'; locator: PageLocator; description: string; spec: Locator }
  | { kind: 'point'; x: number; y: number; description: string; spec: Locator };

export type ElementTarget = Extract<Target, { kind: 'element' }>;

/** Something elements can be looked for in. */
export type Root = Page | Frame | FrameLocator;

/**
 * The Playwright locator for a script's locator. It is lazy: nothing is looked for yet, and waiting,
 * retrying and strictness are Playwright's own.
 */
export async function resolveLocator(page: Page, spec: Locator): Promise<Target> {
  const description = describeLocator(spec);
  if (spec.strategy === 'coordinates') return { kind: 'point', x: spec.x, y: spec.y, description, spec };
  let root: Root = page;
  for (const frame of spec.frame ?? []) root = enterFrame(root, frame);
  return { kind: 'element', locator: await locate(root, spec), description, spec };
}

/** The same, for what cannot be a point (an extraction, a condition). */
export async function resolveElement(page: Page, spec: Locator): Promise<ElementTarget> {
  const target = await resolveLocator(page, spec);
  if (target.kind === 'element') return target;
  throw new AgentError(
    'BrowserAgent.InvalidScript',
    `${target.description} is a point, and an element is needed here: use another locator strategy.`,
  );
}

/** The locator inside one root, without its frames. */
export async function locate(
  root: Root,
  spec: Exclude<Locator, { strategy: 'coordinates' }>,
): Promise<PageLocator> {
  const all = inRoot(root, spec);
  if (spec.nth === undefined) return all;
  // Playwright knows -1 as the last; further from the end has to be counted.
  if (spec.nth >= -1) return all.nth(spec.nth);
  return all.nth(Math.max(0, (await all.count()) + spec.nth));
}

/** For messages: `button "Save"`, `selector "#go" in frame "payment"`. */
export function describeLocator(spec: Locator): string {
  if (spec.strategy === 'coordinates') return `the point (${spec.x}, ${spec.y})`;
  const what = describeStrategy(spec);
  const nth = spec.nth === undefined ? '' : `, match number ${spec.nth}`;
  const frames = spec.frame?.length ? ` in frame ${spec.frame.map((frame) => `"${frame}"`).join(' > ')}` : '';
  return `${what}${nth}${frames}`;
}

function describeStrategy(spec: Exclude<Locator, { strategy: 'coordinates' }>): string {
  switch (spec.strategy) {
    case 'role':
      return spec.name === undefined ? `role ${spec.value}` : `${spec.value} "${spec.name}"`;
    case 'form_field':
      return `form field "${spec.label}"`;
    case 'test_id':
      return `test id "${spec.value}"`;
    case 'selector':
    case 'text':
    case 'xpath':
    case 'label':
    case 'placeholder':
      return `${spec.strategy} "${spec.value}"`;
  }
}

function inRoot(root: Root, spec: Exclude<Locator, { strategy: 'coordinates' }>): PageLocator {
  switch (spec.strategy) {
    case 'selector':
      return root.locator(spec.value);
    case 'text':
      return root.getByText(spec.value, exactly(spec.exact));
    case 'xpath':
      return root.locator(xpathSelector(spec.value.replace(/^xpath=/, '')));
    case 'role':
      return byRole(root, spec);
    case 'label':
      return root.getByLabel(spec.value, exactly(spec.exact));
    case 'placeholder':
      return root.getByPlaceholder(spec.value, exactly(spec.exact));
    case 'test_id':
      return root.getByTestId(spec.value);
    case 'form_field':
      return root.locator(fieldSelector({ label: spec.label, type: spec.field_type, exact: spec.exact }));
  }
}

const exactly = (exact: boolean | undefined) => (exact === undefined ? {} : { exact });

function byRole(root: Root, spec: Extract<Locator, { strategy: 'role' }>): PageLocator {
  const pattern = readSlashed(spec.name ?? '');
  const name = pattern ? compilePattern(requirePattern(pattern.source, pattern.flags)) : spec.name;
  const locator = root.getByRole(spec.value as Parameters<Page['getByRole']>[0], {
    ...(name === undefined ? {} : { name }),
    ...exactly(spec.exact),
  });
  return spec.css === undefined ? locator : locator.or(root.locator(spec.css));
}

/** Playwright's own selector syntax, which a page's `querySelector` would not understand. */
const PLAYWRIGHT_SYNTAX =
  />>|^(?:xpath|css|text|role|internal:[\w-]+)=|^\(?\/\/|:(?:has-text|text|visible|nth-match)\b/;

function enterFrame(root: Root, frame: string): FrameLocator {
  const selector = PLAYWRIGHT_SYNTAX.test(frame) ? frame : frameSelector(frame);
  return root.locator(selector).contentFrame();
}
