import type { Locator, Page } from 'playwright';
import { wait } from '../base/wait.ts';

/**
 * A click as a person makes it: the pointer travels to the element, rests on it, the button goes down and
 * comes up. The browser gets real input events (Input.dispatchMouseEvent), which is what password managers
 * insist on before they fill or offer to.
 */

/** Rest on the element before pressing, milliseconds; password managers attach on hover, slowly on Windows. */
const HOVER_MS = 500;
/** How long a person holds a button, milliseconds. */
const HOLD_MS = 100;
/** One movement event per this many pixels, within the limits below. */
const PIXELS_PER_MOVE = 25;
const MIN_MOVES = 8;
const MAX_MOVES = 40;
/** Time between two movement events, milliseconds: about a mouse's own rate on screen. */
const MOVE_INTERVAL_MS = 8;

export interface TrustedClickOptions {
  timeoutMs: number;
  signal: AbortSignal;
  button?: 'left' | 'right' | 'middle' | undefined;
  random?: () => number;
}

interface Point {
  x: number;
  y: number;
}

/** Where each page's pointer was left, so that the next movement starts there. */
const pointers = new WeakMap<Page, Point>();

export async function trustedClick(
  page: Page,
  locator: Locator,
  options: TrustedClickOptions,
): Promise<void> {
  const { timeoutMs, signal, random = Math.random } = options;
  await page.bringToFront();
  // A click that stops short: waits until the element is visible, still and not covered.
  await locator.click({ trial: true, timeout: timeoutMs, signal });
  const box = await locator.boundingBox({ timeout: timeoutMs, signal });
  if (!box) {
    await locator.click({ timeout: timeoutMs, signal });
    return;
  }
  // Near the middle, not on it.
  const off = () => (random() - 0.5) * 0.3;
  const target = { x: box.x + box.width * (0.5 + off()), y: box.y + box.height * (0.5 + off()) };
  await trustedClickAt(page, target, options);
}

/** The same at a point, in CSS pixels of the viewport. */
export async function trustedClickAt(page: Page, target: Point, options: TrustedClickOptions): Promise<void> {
  const { signal, random = Math.random } = options;
  const button = { button: options.button ?? ('left' as const) };
  for (const point of path(pointers.get(page) ?? { x: 0, y: 0 }, target, random)) {
    signal.throwIfAborted();
    await page.mouse.move(point.x, point.y);
    await wait(MOVE_INTERVAL_MS, signal);
  }
  pointers.set(page, target);
  await wait(HOVER_MS, signal);
  await page.mouse.down(button);
  try {
    await wait(HOLD_MS * (0.8 + 0.4 * random()), signal);
  } finally {
    // A button that went down comes up again, whatever happened: else the page drags.
    await page.mouse.up(button);
  }
}

/** From one point to another on a slight curve, slow at both ends, ending exactly on the target. */
export function path(from: Point, to: Point, random: () => number): Point[] {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const moves = Math.max(MIN_MOVES, Math.min(MAX_MOVES, Math.round(length / PIXELS_PER_MOVE)));
  const bend = (random() - 0.5) * 0.2;
  const control = {
    x: (from.x + to.x) / 2 + (to.y - from.y) * bend,
    y: (from.y + to.y) / 2 - (to.x - from.x) * bend,
  };
  return Array.from({ length: moves }, (_, index) => {
    const t = (1 - Math.cos((Math.PI * (index + 1)) / moves)) / 2;
    const mix = (a: number, b: number, c: number) => (1 - t) ** 2 * a + 2 * (1 - t) * t * b + t ** 2 * c;
    return { x: mix(from.x, control.x, to.x), y: mix(from.y, control.y, to.y) };
  });
}
