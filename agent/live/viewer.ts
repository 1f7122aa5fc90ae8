/**
 * One client that watches. Frames go out in RFB's pull manner: a request is answered with the newest frame,
 * those between are never sent, and nothing is sent while the last answer is still on its way. So each client
 * has its own pace, and a slow one costs the memory of one frame.
 *
 * States: `greeting` (version, security) → `waiting` (it wants to begin, there is no frame yet) → `watching`
 * → `closed`. What the client says wrong at any of them closes it, with the reason in words.
 */
import { drop } from '../base/drop.ts';
import type { Logger } from '../base/log.ts';
import { clipped } from './changes.ts';
import { ARROW } from './cursor.ts';
import type { FrameHub, LiveFrame } from './frame-hub.ts';
import type { CloseReason, Pipe } from './pipe.ts';
import {
  DEFAULT_FORMAT,
  ENCODING,
  type ClientMessage,
  type PixelFormat,
  type ProtocolVersion,
  type Rectangle,
  type SecurityKind,
} from './rfb/messages.ts';
import { ClientParser } from './rfb/parser.ts';
import { isRightResponse, makeChallenge } from './rfb/vnc-auth.ts';
import {
  cursorRectangle,
  desktopSizeRectangle,
  extendedDesktopSizeRectangle,
  jpegRectangle,
  pixelsIn,
  qemuExtendedKeyRectangle,
  rawRectangle,
  refused,
  SECURITY_OK,
  securityFailed,
  securityType,
  securityTypes,
  SERVER_VERSION,
  serverCutText,
  serverInit,
  tightJpegRectangle,
  updateHeader,
} from './rfb/writer.ts';

/** A client that has not got through the greeting by then never will. */
const GREETING_TIMEOUT_MS = 10_000;
/** A page that draws nothing for so long will not be seen. */
const FIRST_FRAME_TIMEOUT_MS = 15_000;

export type InputMessage = Extract<ClientMessage, { type: 'key' | 'pointer' | 'clipboard' }>;

export interface ViewerOptions {
  pipe: Pipe;
  hub: FrameHub;
  /** What the client may show as title. */
  name: string;
  /** Null: whoever got here has shown a ticket. */
  password: string | null;
  onInput: (message: InputMessage) => void;
  onClosed: (reason: CloseReason) => void;
  log: Logger;
}

export class Viewer {
  readonly #options: ViewerOptions;
  readonly #parser: ClientParser;
  #hub: FrameHub;
  readonly #security: SecurityKind;
  /** Of the greeting, then of the first frame. */
  #timer: NodeJS.Timeout;
  #state: 'greeting' | 'waiting' | 'watching' | 'closed' = 'greeting';
  #version: ProtocolVersion = '3.8';
  /** What was said last before the picture: it decides how a refusal is to be spelled. */
  #greeting: 'version' | 'types' | 'done' = 'version';
  #challenge: Buffer = Buffer.alloc(0);
  #leave: () => void = () => {};
  #format: PixelFormat = DEFAULT_FORMAT;
  #encodings: readonly number[] = [];
  /** Announcements for the next update. */
  #pending: Buffer[] = [];
  #size = { width: 0, height: 0 };
  /** The frame that the client has; 0: none of this size. */
  #seen = 0;
  #asked = false;
  #sending = false;

  constructor(options: ViewerOptions) {
    this.#options = options;
    this.#hub = options.hub;
    this.#security = options.password === null ? 'none' : 'vnc';
    this.#parser = new ClientParser({ security: this.#security });
    this.#timer = setTimeout(
      () => this.#fail(4408, 'the viewer did not finish its greeting in time'),
      GREETING_TIMEOUT_MS,
    );
    this.#timer.unref();
    // While the client is greeted, the first frame is made. Who has yet to prove who they are causes nothing.
    if (this.#security === 'none') this.#join();
    this.#send(SERVER_VERSION);
  }

  /** Another page from now on. */
  look(hub: FrameHub): void {
    if (hub === this.#hub || this.isClosed) return;
    this.#hub = hub;
    this.#seen = 0;
    this.#join();
    this.#onFrame();
  }

  /** Width of the picture that the client has, in pixels; 0: none yet. */
  get pictureWidth(): number {
    return this.#size.width;
  }

  get state(): 'greeting' | 'waiting' | 'watching' | 'closed' {
    return this.#state;
  }

  receive(bytes: Uint8Array): void {
    if (this.#state === 'closed') return;
    const parsed = this.#parser.push(bytes);
    for (const message of parsed.messages) {
      if (this.isClosed) return;
      this.#on(message);
    }
    if (!parsed.ok && !this.isClosed) this.#fail(4400, parsed.reason);
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** Text that was copied in the page. */
  offerClipboard(text: string): void {
    if (this.#state === 'watching') this.#send(serverCutText(text));
  }

  /** The connection has gone, or is to go. Safe to call twice. */
  close(reason: CloseReason): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#timer);
    this.#leave();
    this.#options.pipe.close(reason);
    this.#options.onClosed(reason);
  }

  #on(message: ClientMessage): void {
    switch (message.type) {
      case 'version':
        this.#version = message.version;
        this.#greeting = 'types';
        this.#send(message.version === '3.3' ? securityType(this.#security) : securityTypes(this.#security));
        break;
      case 'security':
        this.#chosen();
        break;
      case 'authentication':
        this.#authenticate(message.response);
        break;
      case 'init':
        this.#wait();
        break;
      case 'pixel-format':
        this.#format = message.format;
        break;
      case 'encodings':
        this.#announce(message.encodings);
        break;
      case 'update-request':
        this.#asked = true;
        if (!message.incremental) this.#seen = 0;
        this.#answer();
        break;
      case 'key':
      case 'pointer':
      case 'clipboard':
        this.#options.onInput(message);
        break;
    }
  }

  #chosen(): void {
    if (this.#security === 'none') this.#greeting = 'done';
    if (this.#security === 'vnc') {
      this.#challenge = makeChallenge();
      this.#send(this.#challenge);
    } else if (this.#version === '3.8') this.#send(SECURITY_OK);
  }

  #authenticate(response: Buffer): void {
    const { password } = this.#options;
    this.#greeting = 'done';
    if (password !== null && isRightResponse(this.#challenge, response, password)) {
      this.#send(SECURITY_OK);
      return;
    }
    const words = 'the password is wrong';
    this.#send(securityFailed(words, { withReason: this.#version === '3.8' }));
    this.close({ code: 4401, words });
  }

  /** The first frame says how large the picture is: without one there is nothing to begin with. */
  #wait(): void {
    this.#state = 'waiting';
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#fail(4504, 'the page has not drawn anything yet: try again'),
      FIRST_FRAME_TIMEOUT_MS,
    );
    this.#timer.unref();
    if (this.#security !== 'none') this.#join();
    this.#onFrame();
  }

  #join(): void {
    this.#leave();
    this.#leave = this.#hub.join(() => this.#onFrame());
  }

  #onFrame(): void {
    const { latest } = this.#hub;
    if (this.#state === 'watching') this.#answer();
    else if (this.#state === 'waiting' && latest) this.#begin(latest);
  }

  #begin({ width, height }: LiveFrame): void {
    this.#state = 'watching';
    clearTimeout(this.#timer);
    this.#size = { width, height };
    this.#send(serverInit(this.#size, DEFAULT_FORMAT, this.#options.name));
    this.#answer();
  }

  #announce(encodings: number[]): void {
    const before = new Set(this.#encodings);
    this.#encodings = encodings;
    const isNew = (encoding: number): boolean => encodings.includes(encoding) && !before.has(encoding);
    if (isNew(ENCODING.qemuExtendedKey)) this.#pending.push(qemuExtendedKeyRectangle());
    if (isNew(ENCODING.cursor)) {
      this.#pending.push(cursorRectangle(ARROW.place, pixelsIn(this.#format, ARROW.rgb), ARROW.mask));
    }
  }

  /** Sends what the client asked for, if there is anything new and the last answer has left. */
  #answer(): void {
    const frame = this.#hub.latest;
    if (this.#state !== 'watching' || !this.#asked || this.#sending || !frame) return;
    if (frame.number === this.#seen && this.#pending.length === 0) return;
    this.#asked = false;
    this.#sending = true;
    this.#hub.take();
    drop(this.#update(frame), this.#options.log, 'sending a frame');
  }

  async #update(frame: LiveFrame): Promise<void> {
    const rectangles = this.#pending.splice(0).map((announced) => [announced]);
    try {
      if (frame.number !== this.#seen) rectangles.push(...(await this.#picture(frame)));
    } catch (thrown) {
      this.#options.log.warn({ err: thrown }, 'a frame could not be sent to a viewer');
      this.#fail(4500, 'the picture could not be made; the log of the agent says why');
      return;
    }
    if (this.isClosed) return;
    if (rectangles.length === 0) {
      // Nothing changed in the part that this client sees: it still waits.
      this.#asked = true;
      this.#sending = false;
      this.#answer();
      return;
    }
    this.#options.pipe.send([updateHeader(rectangles.length), ...rectangles.flat()], () => {
      this.#sending = false;
      this.#answer();
    });
  }

  /** Rectangles, each in parts: of what changed since the frame that the client has, or of the whole. */
  async #picture(frame: LiveFrame): Promise<Buffer[][]> {
    const { width, height } = frame;
    if (width !== this.#size.width || height !== this.#size.height) {
      const resized = this.#resized({ width, height });
      // In an update of its own, as all clients understand it: the client asks again for what is in it.
      if (resized) return [[resized]];
    }
    const changed = this.#seen === 0 ? null : this.#hub.changesSince(this.#seen);
    this.#seen = frame.number;
    const whole = { x: 0, y: 0, width, height };
    const encoding = this.#pictureEncoding(frame);
    if (encoding === 'raw') return this.#raw(frame, changed ?? [whole]);
    const asRectangle = encoding === 'jpeg' ? jpegRectangle : tightJpegRectangle;
    if (changed) {
      const parts = changed.map((area) => frame.part(area));
      const sizeBytes = parts.reduce((sum, part) => sum + part.length, 0);
      if (sizeBytes < frame.jpeg.length) return parts.map((part, at) => asRectangle(changed[at]!, part));
    }
    return [asRectangle(whole, frame.jpeg)];
  }

  /** A client whose picture cannot change its size sees the part that fits. */
  async #raw(frame: LiveFrame, areas: readonly Rectangle[]): Promise<Buffer[][]> {
    const shown = areas.flatMap((area) => clipped(area, this.#size) ?? []);
    const pixels = await Promise.all(shown.map((area) => frame.pixels(area)));
    return pixels.map((rgb, at) => rawRectangle(shown[at]!, pixelsIn(this.#format, rgb)));
  }

  #resized(size: { width: number; height: number }): Buffer | null {
    const make = this.#encodings.includes(ENCODING.desktopSize)
      ? desktopSizeRectangle
      : this.#encodings.includes(ENCODING.extendedDesktopSize)
        ? extendedDesktopSizeRectangle
        : null;
    if (!make) return null;
    this.#size = size;
    this.#seen = 0;
    return make(size);
  }

  /** In the order of preference that the client gave; both carry JPEG, a whole picture the browser's own. */
  #pictureEncoding(frame: LiveFrame): 'jpeg' | 'tight' | 'raw' {
    const fits = frame.width === this.#size.width && frame.height === this.#size.height;
    if (!fits) return 'raw';
    const takesQuality = this.#encodings.some(
      (encoding) => encoding >= ENCODING.lowestQuality && encoding <= ENCODING.highestQuality,
    );
    for (const encoding of this.#encodings) {
      if (encoding === ENCODING.jpeg) return 'jpeg';
      if (encoding === ENCODING.tight && takesQuality && this.#format.bitsPerPixel === 32) return 'tight';
    }
    return 'raw';
  }

  #send(...parts: Buffer[]): void {
    this.#options.pipe.send(parts);
  }

  /** As long as RFB has words of its own for a refusal, they are sent too. */
  #fail(code: number, words: string): void {
    if (this.#state === 'greeting' && this.#version === '3.8') {
      if (this.#greeting === 'types') this.#send(securityFailed(words, { withReason: true }));
      else if (this.#greeting === 'version') this.#send(refused(words));
    }
    this.close({ code, words });
  }
}
