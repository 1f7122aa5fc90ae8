import { distance } from 'fastest-levenshtein';
import type { Page } from 'playwright';
import { locate, type ElementTarget } from './locators.ts';

/** The page may be stuck: an error message is not worth waiting longer for. In milliseconds. */
const LOOK_DEADLINE_MS = 1_000;
/** Frames searched for an element that was looked for outside of them. */
const MAX_FRAMES = 5;
/** Names listed in a message. */
const LISTED = 6;

/**
 * What is on the page instead of an element that was not found: hidden matches, matches inside a frame,
 * and the names of what a person would have looked at ("3 buttons are visible: Save, Cancel, Help").
 */
export async function explainAbsence(page: Page, target: ElementTarget): Promise<string> {
  const looked = look(page, target).catch(() => '');
  const { promise: late, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(resolve, LOOK_DEADLINE_MS, '');
  try {
    const found = await Promise.race([looked, late]);
    return found || 'The page shows nothing like it: check that the step before led to the right page.';
  } finally {
    clearTimeout(timer);
  }
}

async function look(page: Page, target: ElementTarget): Promise<string> {
  const { spec } = target;
  const matches = await target.locator.count();
  if (matches > 0 && (await target.locator.filter({ visible: true }).count()) > 0)
    return 'It is there now: the machine or the page was slow, so raise the step\'s "timeout".';
  if (matches > 0)
    return `${matches} ${matches === 1 ? 'match is' : 'matches are'} there but hidden: open the menu, tab or section first.`;
  if (spec.strategy !== 'coordinates' && !spec.frame?.length) {
    for (const frame of page.frames().slice(1, 1 + MAX_FRAMES)) {
      if ((await (await locate(frame, spec)).count()) === 0) continue;
      const name = frame.name() || new URL(frame.url(), 'about:blank').pathname;
      return `It is inside a frame: add "frame": ["${name}"] to the locator.`;
    }
  }
  const kind = kindOf(target);
  const names = await page.evaluate(visibleNames, kind);
  if (names.length === 0) return `No ${kind} is visible on the page.`;
  const wanted = wantedName(target);
  const ranked = wanted ? names.toSorted((a, b) => unlike(a, wanted) - unlike(b, wanted)) : names;
  const listed = ranked.slice(0, LISTED).join(', ');
  const more = names.length > LISTED ? ', …' : '';
  const noun = names.length === 1 ? `1 ${kind} is` : `${names.length} ${kind}s are`;
  return `${noun} visible: ${listed}${more}.`;
}

type Kind = 'button' | 'link' | 'field' | 'button or link';

function kindOf({ spec }: ElementTarget): Kind {
  switch (spec.strategy) {
    case 'form_field':
    case 'label':
    case 'placeholder':
      return 'field';
    case 'role':
      if (spec.value === 'button' || spec.value === 'link') return spec.value;
      return /box|combo|radio|switch|slider|spin/.test(spec.value) ? 'field' : 'button or link';
    case 'selector':
    case 'xpath':
      return /\b(?:input|textarea|select)\b/.test(spec.value) ? 'field' : 'button or link';
    case 'text':
    case 'test_id':
    case 'coordinates':
      return 'button or link';
  }
}

function wantedName({ spec }: ElementTarget): string | undefined {
  switch (spec.strategy) {
    case 'form_field':
      return spec.label;
    case 'role':
      return spec.name;
    case 'text':
    case 'label':
    case 'placeholder':
      return spec.value;
    case 'selector':
    case 'xpath':
    case 'test_id':
    case 'coordinates':
      return undefined;
  }
}

/** Smaller is more alike; a name that contains what was wanted comes first. */
function unlike(name: string, wanted: string): number {
  const [a, b] = [name.toLowerCase(), wanted.toLowerCase()];
  if (a.includes(b) || b.includes(a)) return 0;
  return distance(a, b) / Math.max(a.length, b.length);
}

/** In the page: names of visible buttons, links or fields. Never values, but for a button's own. */
function visibleNames(kind: string): string[] {
  const MOST = 200;
  const buttons = 'button,[role=button],input[type=submit],input[type=button],[role=menuitem],[role=tab]';
  const selector: Record<string, string> = {
    button: buttons,
    link: 'a[href],[role=link]',
    field:
      'input:not([type=hidden],[type=submit],[type=button]),textarea,select,[role=textbox],[role=combobox]',
  };
  const names: string[] = [];
  for (const el of document.querySelectorAll(selector[kind] ?? `${buttons},${selector['link']}`)) {
    if (names.length >= MOST) break;
    if (!el.checkVisibility({ visibilityProperty: true })) continue;
    const label = el instanceof HTMLInputElement && /submit|button/.test(el.type) ? el.value : null;
    const text =
      el.getAttribute('aria-label') ??
      label ??
      (el as HTMLInputElement).labels?.[0]?.textContent ??
      el.getAttribute('placeholder') ??
      (el.matches('input,textarea,select') ? (el.getAttribute('name') ?? el.id) : el.textContent);
    const name = (text ?? '').replace(/\s+/g, ' ').trim().slice(0, 60);
    if (name && !names.includes(name)) names.push(name);
  }
  return names;
}
