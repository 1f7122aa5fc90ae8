/** From the keys of X11, which RFB speaks, to those of the web, which the browser is sent. */

export interface WebKey {
  /** `KeyboardEvent.key`. */
  key: string;
  /** `KeyboardEvent.code`; empty when not known. */
  code: string;
  /** `KeyboardEvent.keyCode`, which pages and the browser's own editing still go by. */
  keyCode: number;
  /** What it types; absent for keys that type nothing. */
  text?: string;
  modifier?: 'Alt' | 'Control' | 'Meta' | 'Shift';
}

const SHIFT = { key: 'Shift', keyCode: 16, modifier: 'Shift' } as const;
const CONTROL = { key: 'Control', keyCode: 17, modifier: 'Control' } as const;
const ALT = { key: 'Alt', keyCode: 18, modifier: 'Alt' } as const;
const META = { key: 'Meta', keyCode: 91, modifier: 'Meta' } as const;

/** X11's keysymdef.h. */
const NAMED: Record<number, WebKey> = {
  0xff08: { key: 'Backspace', code: 'Backspace', keyCode: 8 },
  0xff09: { key: 'Tab', code: 'Tab', keyCode: 9 },
  0xfe20: { key: 'Tab', code: 'Tab', keyCode: 9 },
  0xff0d: { key: 'Enter', code: 'Enter', keyCode: 13, text: '\r' },
  0xff8d: { key: 'Enter', code: 'NumpadEnter', keyCode: 13, text: '\r' },
  0xff13: { key: 'Pause', code: 'Pause', keyCode: 19 },
  0xff1b: { key: 'Escape', code: 'Escape', keyCode: 27 },
  0xff50: { key: 'Home', code: 'Home', keyCode: 36 },
  0xff51: { key: 'ArrowLeft', code: 'ArrowLeft', keyCode: 37 },
  0xff52: { key: 'ArrowUp', code: 'ArrowUp', keyCode: 38 },
  0xff53: { key: 'ArrowRight', code: 'ArrowRight', keyCode: 39 },
  0xff54: { key: 'ArrowDown', code: 'ArrowDown', keyCode: 40 },
  0xff55: { key: 'PageUp', code: 'PageUp', keyCode: 33 },
  0xff56: { key: 'PageDown', code: 'PageDown', keyCode: 34 },
  0xff57: { key: 'End', code: 'End', keyCode: 35 },
  0xff63: { key: 'Insert', code: 'Insert', keyCode: 45 },
  0xff67: { key: 'ContextMenu', code: 'ContextMenu', keyCode: 93 },
  0xffff: { key: 'Delete', code: 'Delete', keyCode: 46 },
  0xffe1: { ...SHIFT, code: 'ShiftLeft' },
  0xffe2: { ...SHIFT, code: 'ShiftRight' },
  0xffe3: { ...CONTROL, code: 'ControlLeft' },
  0xffe4: { ...CONTROL, code: 'ControlRight' },
  0xffe5: { key: 'CapsLock', code: 'CapsLock', keyCode: 20 },
  0xffe7: { ...META, code: 'MetaLeft' },
  0xffe8: { ...META, code: 'MetaRight' },
  0xffe9: { ...ALT, code: 'AltLeft' },
  0xffea: { ...ALT, code: 'AltRight' },
  0xffeb: { ...META, code: 'MetaLeft' },
  0xffec: { ...META, code: 'MetaRight' },
  // What it makes comes as its own keysym, so it is no modifier here.
  0xfe03: { key: 'AltGraph', code: 'AltRight', keyCode: 225 },
};

/** F1 to F12. */
const FIRST_F_KEY = 0xffbe;
/** Of the number pad: `*` to `9` stand in the order of ASCII. */
const FIRST_PAD_KEY = 0xffaa;
const LAST_PAD_KEY = 0xffb9;
/** Above ASCII and Latin-1: Unicode with this bit. */
const UNICODE_BIT = 0x01_00_00_00;
const LAST_UNICODE = UNICODE_BIT + 0x10_ff_ff;
/** Legacy keysyms that people still type. */
const EURO = 0x20ac;

/** Where US keyboards have the characters that are no letters or digits. */
const PUNCTUATION: Record<string, [code: string, keyCode: number]> = {
  ' ': ['Space', 32],
  '-': ['Minus', 189],
  _: ['Minus', 189],
  '=': ['Equal', 187],
  '+': ['Equal', 187],
  '[': ['BracketLeft', 219],
  '{': ['BracketLeft', 219],
  ']': ['BracketRight', 221],
  '}': ['BracketRight', 221],
  '\\': ['Backslash', 220],
  '|': ['Backslash', 220],
  ';': ['Semicolon', 186],
  ':': ['Semicolon', 186],
  "'": ['Quote', 222],
  '"': ['Quote', 222],
  ',': ['Comma', 188],
  '<': ['Comma', 188],
  '.': ['Period', 190],
  '>': ['Period', 190],
  '/': ['Slash', 191],
  '?': ['Slash', 191],
  '`': ['Backquote', 192],
  '~': ['Backquote', 192],
};
const SHIFTED_DIGITS = ')!@#$%^&*(';

/** Scancode set 1, as QEMU's extension sends them: where on the keyboard the key is, whatever is printed on it. */
const ROWS: [first: number, codes: string[]][] = [
  [0x02, ['1', '2', '3', '4', '5', '6', '7', '8', '9', '0'].map((digit) => `Digit${digit}`)],
  [0x0c, ['Minus', 'Equal']],
  [0x10, letters('QWERTYUIOP')],
  [0x1a, ['BracketLeft', 'BracketRight']],
  [0x1e, letters('ASDFGHJKL')],
  [0x27, ['Semicolon', 'Quote', 'Backquote']],
  [0x2b, ['Backslash']],
  [0x2c, letters('ZXCVBNM')],
  [0x33, ['Comma', 'Period', 'Slash']],
  [0x39, ['Space']],
  [0x56, ['IntlBackslash']],
];
const CODE_BY_SCANCODE = new Map(
  ROWS.flatMap(([first, codes]) => codes.map((code, index) => [first + index, code] as const)),
);

/** Null: a key that the browser has no use for. */
export function webKey(keysym: number, scancode: number | null): WebKey | null {
  const named = NAMED[keysym];
  if (named) return named;
  if (keysym >= FIRST_F_KEY && keysym < FIRST_F_KEY + 12) {
    const number = keysym - FIRST_F_KEY + 1;
    return { key: `F${number}`, code: `F${number}`, keyCode: 111 + number };
  }
  const text = textOf(keysym);
  if (text === null) return null;
  const place = placeOf(text);
  const code = (scancode === null ? undefined : CODE_BY_SCANCODE.get(scancode)) ?? place.code;
  return { key: text, code, keyCode: place.keyCode, text };
}

function textOf(keysym: number): string | null {
  if (keysym === EURO) return '€';
  if (keysym >= FIRST_PAD_KEY && keysym <= LAST_PAD_KEY) return String.fromCodePoint(keysym - 0xff80);
  const isLatin1 = (keysym >= 0x20 && keysym <= 0x7e) || (keysym >= 0xa0 && keysym <= 0xff);
  if (isLatin1) return String.fromCodePoint(keysym);
  if (keysym > UNICODE_BIT && keysym <= LAST_UNICODE) return String.fromCodePoint(keysym - UNICODE_BIT);
  return null;
}

function placeOf(text: string): { code: string; keyCode: number } {
  if (/^[a-z]$/i.test(text)) {
    const letter = text.toUpperCase();
    return { code: `Key${letter}`, keyCode: letter.charCodeAt(0) };
  }
  const digit = /^\d$/.test(text) ? Number(text) : SHIFTED_DIGITS.indexOf(text);
  if (digit >= 0) return { code: `Digit${digit}`, keyCode: 48 + digit };
  const [code, keyCode] = PUNCTUATION[text] ?? ['', 0];
  return { code, keyCode };
}

function letters(row: string): string[] {
  return row.split('').map((letter) => `Key${letter}`);
}
