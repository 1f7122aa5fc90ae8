/** Reads what an RFB client says, from pieces cut anywhere. Does no input or output of its own. */
import type { ClientMessage, Parsed, PixelFormat, ProtocolVersion, SecurityKind } from './messages.ts';
import { SECURITY_TYPE } from './messages.ts';

/** Clients name some thirty encodings. */
const MAX_ENCODINGS = 1_024;
/** The longest clipboard that is taken over: a few pages of text. */
export const MAX_CLIPBOARD_BYTES = 262_144;

const VERSION_BYTES = 12;
const CHALLENGE_BYTES = 16;

/** In the generator: wait for so many bytes, or here is a message. */
type Step = number | ClientMessage;
type Script = Generator<Step, never, Buffer>;

/**
 * One conversation, read as it comes. Holds at most one message of at most {@link MAX_CLIPBOARD_BYTES} beside
 * the last piece. After a fault everything is ignored: what follows cannot be understood.
 */
export class ClientParser {
  readonly #script: Script;
  #pieces: Buffer[] = [];
  #heldBytes = 0;
  #neededBytes: number;
  #fault: string | null = null;

  constructor(options: { security: SecurityKind }) {
    this.#script = conversation(options.security);
    // The first thing is the version: a number of bytes, never a message.
    this.#neededBytes = this.#script.next().value as number;
  }

  /** The piece is kept as it is: it must not be written into afterwards. */
  push(piece: Uint8Array): Parsed {
    const messages: ClientMessage[] = [];
    if (this.#fault === null) {
      this.#pieces.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
      this.#heldBytes += piece.byteLength;
      try {
        while (this.#heldBytes >= this.#neededBytes) this.#advance(this.#take(this.#neededBytes), messages);
      } catch (thrown) {
        if (!(thrown instanceof ProtocolFault)) throw thrown;
        this.#fault = thrown.message;
        this.#pieces = [];
      }
    }
    return this.#fault === null ? { ok: true, messages } : { ok: false, messages, reason: this.#fault };
  }

  #advance(bytes: Buffer, messages: ClientMessage[]): void {
    let { value } = this.#script.next(bytes);
    while (typeof value !== 'number') {
      messages.push(value);
      ({ value } = this.#script.next(NOTHING));
    }
    this.#neededBytes = value;
  }

  #take(sizeBytes: number): Buffer {
    const all = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
    this.#pieces = all.length > sizeBytes ? [all.subarray(sizeBytes)] : [];
    this.#heldBytes -= sizeBytes;
    return all.subarray(0, sizeBytes);
  }
}

const NOTHING = Buffer.alloc(0);

class ProtocolFault extends Error {}

function* conversation(offered: SecurityKind): Script {
  const version = readVersion(yield VERSION_BYTES);
  yield { type: 'version', version };
  // Before 3.7 the server decides.
  const chosen = version === '3.3' ? SECURITY_TYPE[offered] : (yield 1).readUInt8(0);
  if (chosen !== SECURITY_TYPE[offered]) {
    throw new ProtocolFault(`security type ${chosen} was not offered: only ${SECURITY_TYPE[offered]} is`);
  }
  yield { type: 'security', kind: offered };
  if (offered === 'vnc') yield { type: 'authentication', response: Buffer.from(yield CHALLENGE_BYTES) };
  yield { type: 'init', shared: (yield 1).readUInt8(0) !== 0 };
  for (;;) {
    const type = (yield 1).readUInt8(0);
    switch (type) {
      case 0:
        yield { type: 'pixel-format', format: readPixelFormat((yield 19).subarray(3)) };
        break;
      case 2:
        yield* encodings();
        break;
      case 3: {
        const body = yield 9;
        yield {
          type: 'update-request',
          incremental: body.readUInt8(0) !== 0,
          area: {
            x: body.readUInt16BE(1),
            y: body.readUInt16BE(3),
            width: body.readUInt16BE(5),
            height: body.readUInt16BE(7),
          },
        };
        break;
      }
      case 4: {
        const body = yield 7;
        yield { type: 'key', down: body.readUInt8(0) !== 0, keysym: body.readUInt32BE(3), scancode: null };
        break;
      }
      case 5: {
        const body = yield 5;
        yield {
          type: 'pointer',
          buttons: body.readUInt8(0),
          x: body.readUInt16BE(1),
          y: body.readUInt16BE(3),
        };
        break;
      }
      case 6:
        yield* clipboard();
        break;
      case 255:
        yield* qemu();
        break;
      default:
        throw new ProtocolFault(`there is no client message of type ${type}`);
    }
  }
}

function readVersion(bytes: Buffer): ProtocolVersion {
  const text = bytes.toString('latin1');
  const [, major, minor] = /^RFB (\d{3})\.(\d{3})\n$/.exec(text) ?? [];
  if (major === undefined || minor === undefined) {
    throw new ProtocolFault('this is no RFB client: it sent no protocol version');
  }
  if (Number(major) !== 3 || Number(minor) < 3) {
    throw new ProtocolFault(
      `RFB ${Number(major)}.${Number(minor)} is not spoken here: 3.8 is, and 3.7 and 3.3`,
    );
  }
  // The specification: anything that is not 3.7 or 3.8 is to be taken for 3.3.
  if (Number(minor) >= 8) return '3.8';
  return Number(minor) === 7 ? '3.7' : '3.3';
}

function readPixelFormat(bytes: Buffer): PixelFormat {
  const bitsPerPixel = bytes.readUInt8(0);
  const trueColour = bytes.readUInt8(3) !== 0;
  const format = {
    bitsPerPixel,
    depth: bytes.readUInt8(1),
    bigEndian: bytes.readUInt8(2) !== 0,
    redMax: bytes.readUInt16BE(4),
    greenMax: bytes.readUInt16BE(6),
    blueMax: bytes.readUInt16BE(8),
    redShift: bytes.readUInt8(10),
    greenShift: bytes.readUInt8(11),
    blueShift: bytes.readUInt8(12),
  };
  if (!trueColour) throw new ProtocolFault('colour maps are not supported: ask for true colour');
  if (!isSize(format)) throw new ProtocolFault(`a pixel has 8, 16 or 32 bits, not ${bitsPerPixel}`);
  for (const [max, shift] of [
    [format.redMax, format.redShift],
    [format.greenMax, format.greenShift],
    [format.blueMax, format.blueShift],
  ] as const) {
    if (shift + 32 - Math.clz32(max) > bitsPerPixel) {
      throw new ProtocolFault('the pixel format has colours outside its bits');
    }
  }
  return format;
}

function isSize(format: { bitsPerPixel: number }): format is PixelFormat {
  return [8, 16, 32].includes(format.bitsPerPixel);
}

function* encodings(): Generator<Step, void, Buffer> {
  const count = (yield 3).readUInt16BE(1);
  if (count > MAX_ENCODINGS) throw new ProtocolFault(`${count} encodings are more than ${MAX_ENCODINGS}`);
  const list = count === 0 ? NOTHING : yield count * 4;
  yield {
    type: 'encodings',
    encodings: Array.from({ length: count }, (_, index) => list.readInt32BE(index * 4)),
  };
}

function* clipboard(): Generator<Step, void, Buffer> {
  const length = (yield 7).readInt32BE(3);
  // Negative lengths belong to an extension that this server does not announce.
  if (length < 0 || length > MAX_CLIPBOARD_BYTES) {
    throw new ProtocolFault(`the clipboard is larger than ${MAX_CLIPBOARD_BYTES} bytes`);
  }
  const text = length === 0 ? '' : (yield length).toString('latin1');
  yield { type: 'clipboard', text };
}

function* qemu(): Generator<Step, void, Buffer> {
  const subtype = (yield 1).readUInt8(0);
  if (subtype !== 0) throw new ProtocolFault(`there is no QEMU client message ${subtype}`);
  const body = yield 10;
  yield {
    type: 'key',
    down: body.readUInt16BE(0) !== 0,
    keysym: body.readUInt32BE(2),
    scancode: body.readUInt32BE(6),
  };
}
