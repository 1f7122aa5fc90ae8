/**
 * Does what a person does at the canvas in the page: through a DevTools session of its own, which the trace of
 * the run does not see. One thing after the other; moves of the mouse that wait together become one.
 */
import type { BrowserContext, CDPSession, Page } from 'playwright';
import type { Logger } from '../base/log.ts';
import { webKey, type WebKey } from './keys.ts';
import type { InputMessage } from './viewer.ts';

/** More waits only for a page that hangs. */
const MAX_WAITING = 500;
/** One notch of noVNC's wheel stands for so many pixels, and of other clients about the same. */
const WHEEL_STEP_PX = 50;
/** Two clicks within this time and distance are a double click. */
const DOUBLE_CLICK_MS = 500;
const DOUBLE_CLICK_PX = 5;
/** The page may have been resized; it is asked for its size again after so long, in milliseconds. */
const SCALE_MS = 1_000;

/** RFB's bit, the name that the browser knows it by, and its bit there. */
const BUTTONS = [
  { rfb: 1, name: 'left', bit: 1 },
  { rfb: 2, name: 'middle', bit: 4 },
  { rfb: 4, name: 'right', bit: 2 },
] as const;
const WHEEL = [
  { rfb: 8, x: 0, y: -WHEEL_STEP_PX },
  { rfb: 16, x: 0, y: WHEEL_STEP_PX },
  { rfb: 32, x: -WHEEL_STEP_PX, y: 0 },
  { rfb: 64, x: WHEEL_STEP_PX, y: 0 },
] as const;
const MODIFIER_BITS = { Alt: 1, Control: 2, Meta: 4, Shift: 8 } as const;

export interface InputOptions {
  context: BrowserContext;
  page: () => Page;
  /** Width of the picture that the person sees, in pixels; 0: not known yet. */
  pictureWidth: () => number;
  /** Text that was copied in the page. */
  onCopied: (text: string) => void;
  log: Logger;
}

export class PageInput {
  readonly #options: InputOptions;
  #waiting: InputMessage[] = [];
  #working: Promise<void> | undefined;
  #session: { page: Page; cdp: CDPSession } | undefined;
  #scale: { value: number; atMs: number; width: number } = { value: 1, atMs: -Infinity, width: 0 };
  #buttons = 0;
  #pointer = { x: 0, y: 0 };
  #modifiers = 0;
  /** Keys that are down: their release must name the same key. */
  readonly #down = new Map<number, WebKey>();
  #click = { atMs: -Infinity, x: 0, y: 0, count: 0, button: '' };
  #clipboard = '';

  constructor(options: InputOptions) {
    this.#options = options;
  }

  do(message: InputMessage): void {
    if (message.type === 'clipboard') {
      this.#clipboard = message.text;
      return;
    }
    const last = this.#waiting.at(-1);
    if (message.type === 'pointer' && last?.type === 'pointer' && last.buttons === message.buttons) {
      this.#waiting[this.#waiting.length - 1] = message;
    } else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(message);
    this.#working ??= this.#work();
  }

  /** What is held down is let go, what waits is forgotten: the run goes on with hands off. */
  async end(): Promise<void> {
    this.#waiting = [];
    await this.#working;
    const { x, y } = this.#pointer;
    for (const keysym of this.#down.keys())
      this.#waiting.push({ type: 'key', down: false, keysym, scancode: null });
    if (this.#buttons !== 0) this.#waiting.push({ type: 'pointer', buttons: 0, x, y });
    await (this.#working ??= this.#work());
    await this.#session?.cdp.detach().catch(() => {});
    this.#session = undefined;
    this.#clipboard = '';
  }

  async #work(): Promise<void> {
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      try {
        const cdp = await this.#cdp();
        if (next.type === 'pointer') await this.#point(cdp, next);
        else if (next.type === 'key') await this.#key(cdp, next);
      } catch (thrown) {
        // A page that closes under the click that closes it.
        this.#options.log.debug({ err: thrown }, 'what a person did could not be done in the page');
      }
    }
    this.#working = undefined;
  }

  async #cdp(): Promise<CDPSession> {
    const page = this.#options.page();
    if (this.#session?.page === page) return this.#session.cdp;
    await this.#session?.cdp.detach().catch(() => {});
    this.#session = { page, cdp: await this.#options.context.newCDPSession(page) };
    this.#scale.atMs = -Infinity;
    return this.#session.cdp;
  }

  async #point(
    cdp: CDPSession,
    { buttons, x, y }: Extract<InputMessage, { type: 'pointer' }>,
  ): Promise<void> {
    const scale = await this.#cssPerPixel(cdp);
    const at = { x: x * scale, y: y * scale, modifiers: this.#modifiers };
    const before = this.#buttons;
    this.#buttons = buttons;
    if (x !== this.#pointer.x || y !== this.#pointer.y) {
      this.#pointer = { x, y };
      await cdp.send('Input.dispatchMouseEvent', {
        ...at,
        type: 'mouseMoved',
        button: BUTTONS.find(({ rfb }) => before & rfb)?.name ?? 'none',
        buttons: held(before),
      });
    }
    for (const { rfb, name } of BUTTONS) {
      if ((before & rfb) === (buttons & rfb)) continue;
      const isDown = (buttons & rfb) !== 0;
      await cdp.send('Input.dispatchMouseEvent', {
        ...at,
        type: isDown ? 'mousePressed' : 'mouseReleased',
        button: name,
        buttons: held(buttons),
        clickCount: isDown ? this.#countClick(name) : this.#click.count,
      });
    }
    for (const { rfb, x: deltaX, y: deltaY } of WHEEL) {
      if ((before & rfb) !== 0 || (buttons & rfb) === 0) continue;
      await cdp.send('Input.dispatchMouseEvent', { ...at, type: 'mouseWheel', deltaX, deltaY });
    }
  }

  async #key(cdp: CDPSession, message: Extract<InputMessage, { type: 'key' }>): Promise<void> {
    const { down, keysym, scancode } = message;
    const pressed = this.#down.get(keysym);
    const key = down ? webKey(keysym, scancode) : pressed;
    if (!key) return;
    if (key.modifier) {
      const bit = MODIFIER_BITS[key.modifier];
      this.#modifiers = down ? this.#modifiers | bit : this.#modifiers & ~bit;
    }
    if (down) this.#down.set(keysym, key);
    else this.#down.delete(keysym);
    const isCommand = (this.#modifiers & ~MODIFIER_BITS.Shift) !== 0;
    if (isCommand && down && (await this.#clipboardKey(cdp, key))) return;
    // A letter that no key of a US keyboard makes is typed as an input method does.
    if (down && key.text !== undefined && key.keyCode === 0) {
      await cdp.send('Input.insertText', { text: key.text });
      return;
    }
    const text = down && !isCommand ? key.text : undefined;
    await cdp.send('Input.dispatchKeyEvent', {
      type: down ? (text === undefined ? 'rawKeyDown' : 'keyDown') : 'keyUp',
      modifiers: this.#modifiers,
      key: key.key,
      code: key.code,
      windowsVirtualKeyCode: key.keyCode,
      autoRepeat: down && pressed !== undefined,
      ...(text === undefined ? {} : { text, unmodifiedText: text }),
    });
    if (down && isCommand && ['c', 'x'].includes(key.key.toLowerCase())) await this.#copied(cdp);
  }

  /** Pasting is typing what the person has copied: the clipboard of this machine is left alone. */
  async #clipboardKey(cdp: CDPSession, key: WebKey): Promise<boolean> {
    const isPaste =
      key.key.toLowerCase() === 'v' && (this.#modifiers & (MODIFIER_BITS.Control | MODIFIER_BITS.Meta)) !== 0;
    if (!isPaste || this.#clipboard === '') return false;
    await cdp.send('Input.insertText', { text: this.#clipboard });
    return true;
  }

  async #copied(cdp: CDPSession): Promise<void> {
    const { result } = await cdp.send('Runtime.evaluate', { expression: SELECTED, returnByValue: true });
    if (typeof result.value === 'string' && result.value !== '') this.#options.onCopied(result.value);
  }

  #countClick(button: string): number {
    const { x, y } = this.#pointer;
    const now = performance.now();
    const isAgain =
      this.#click.button === button &&
      now - this.#click.atMs < DOUBLE_CLICK_MS &&
      Math.hypot(x - this.#click.x, y - this.#click.y) <= DOUBLE_CLICK_PX;
    this.#click = { atMs: now, x, y, button, count: isAgain ? this.#click.count + 1 : 1 };
    return this.#click.count;
  }

  /** Pictures of large windows are scaled down. */
  async #cssPerPixel(cdp: CDPSession): Promise<number> {
    const width = this.#options.pictureWidth();
    const now = performance.now();
    if (width === this.#scale.width && now - this.#scale.atMs < SCALE_MS) return this.#scale.value;
    const { cssVisualViewport } = await cdp.send('Page.getLayoutMetrics');
    const value = width > 0 ? cssVisualViewport.clientWidth / width : 1;
    this.#scale = { value, atMs: now, width };
    return value;
  }
}

/** At most what a clipboard message carries; a password field gives nothing. */
const SELECTED = `(() => {
  const field = document.activeElement;
  if (field && typeof field.selectionStart === 'number' && field.type !== 'password')
    return field.value.slice(field.selectionStart, field.selectionEnd).slice(0, 65536);
  return String(getSelection()).slice(0, 65536);
})()`;

function held(buttons: number): number {
  return BUTTONS.reduce((bits, { rfb, bit }) => (buttons & rfb ? bits | bit : bits), 0);
}
