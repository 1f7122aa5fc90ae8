/** The words of RFB (RFC 6143 and the registry of its extensions) that this server knows. */

export type ProtocolVersion = '3.3' | '3.7' | '3.8';

export type SecurityKind = 'none' | 'vnc';

export const SECURITY_TYPE: Record<SecurityKind, number> = { none: 1, vnc: 2 };

export const ENCODING = {
  raw: 0,
  tight: 7,
  jpeg: 21,
  /** Of JPEG pictures in Tight: -32 (worst) to -23. A client that names none takes no JPEG there. */
  lowestQuality: -32,
  highestQuality: -23,
  desktopSize: -223,
  cursor: -239,
  qemuExtendedKey: -258,
  extendedDesktopSize: -308,
} as const;

/** How a client wants pixels that are not sent as JPEG. Always true colour. */
export interface PixelFormat {
  bitsPerPixel: 8 | 16 | 32;
  depth: number;
  bigEndian: boolean;
  redMax: number;
  greenMax: number;
  blueMax: number;
  redShift: number;
  greenShift: number;
  blueShift: number;
}

/** What this server offers first: BGRX in memory. */
export const DEFAULT_FORMAT: PixelFormat = {
  bitsPerPixel: 32,
  depth: 24,
  bigEndian: false,
  redMax: 255,
  greenMax: 255,
  blueMax: 255,
  redShift: 16,
  greenShift: 8,
  blueShift: 0,
};

export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** What a client says, in the order of the conversation. */
export type ClientMessage =
  | { type: 'version'; version: ProtocolVersion }
  | { type: 'security'; kind: SecurityKind }
  /** The answer to the challenge of VNC authentication. */
  | { type: 'authentication'; response: Buffer }
  | { type: 'init'; shared: boolean }
  | { type: 'pixel-format'; format: PixelFormat }
  | { type: 'encodings'; encodings: number[] }
  | { type: 'update-request'; incremental: boolean; area: Rectangle }
  /** `scancode`: of the XT keyboard, from QEMU's extended key event; null: not sent. */
  | { type: 'key'; down: boolean; keysym: number; scancode: number | null }
  /** `buttons`: bit 0 left, 1 middle, 2 right, 3 to 6 the wheel up, down, left, right. */
  | { type: 'pointer'; buttons: number; x: number; y: number }
  | { type: 'clipboard'; text: string };

export type Parsed =
  | { ok: true; messages: ClientMessage[] }
  /** The messages before the fault, and what is wrong, for the person at the other end. */
  | { ok: false; messages: ClientMessage[]; reason: string };
