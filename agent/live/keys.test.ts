import { describe, expect, test } from 'vitest';
import { webKey } from './keys.ts';

describe('keys of X11 as those of the web', () => {
  test.each([
    ['a letter', 0x61, null, { key: 'a', code: 'KeyA', keyCode: 65, text: 'a' }],
    ['a capital', 0x41, null, { key: 'A', code: 'KeyA', keyCode: 65, text: 'A' }],
    ['a digit', 0x37, null, { key: '7', code: 'Digit7', keyCode: 55, text: '7' }],
    ['a shifted digit', 0x26, null, { key: '&', code: 'Digit7', keyCode: 55, text: '&' }],
    ['punctuation', 0x3f, null, { key: '?', code: 'Slash', keyCode: 191, text: '?' }],
    ['a letter on another keyboard', 0x61, 0x10, { key: 'a', code: 'KeyQ', keyCode: 65, text: 'a' }],
    ['Latin-1', 0xfc, 0x1a, { key: 'ü', code: 'BracketLeft', keyCode: 0, text: 'ü' }],
    ['the euro', 0x20ac, null, { key: '€', code: '', keyCode: 0, text: '€' }],
    ['Unicode', 0x01_00_4e_2d, null, { key: '中', code: '', keyCode: 0, text: '中' }],
    ['Enter', 0xff0d, null, { key: 'Enter', code: 'Enter', keyCode: 13, text: '\r' }],
    ['F5', 0xffc2, null, { key: 'F5', code: 'F5', keyCode: 116 }],
    ['the number pad', 0xffb7, null, { key: '7', code: 'Digit7', keyCode: 55, text: '7' }],
    ['Shift', 0xffe1, 0x2a, { key: 'Shift', code: 'ShiftLeft', keyCode: 16, modifier: 'Shift' }],
  ])('%s', (_title, keysym, scancode, expected) => {
    expect(webKey(keysym, scancode)).toEqual(expected);
  });

  test('what the browser has no use for is nothing', () => {
    for (const keysym of [0, 0x1f, 0x7f, 0x1000, 0xff14, 0x01_11_00_00, 0xff_ff_ff_ff]) {
      expect(webKey(keysym, null)).toBeNull();
    }
  });
});
