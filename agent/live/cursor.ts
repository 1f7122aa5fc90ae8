/** The arrow that clients draw where their mouse is: without one, noVNC shows none at all. */
import type { Rectangle } from './rfb/messages.ts';

/** `X`: black, `.`: white, space: what is below. */
const PICTURE = [
  'X           ',
  'XX          ',
  'X.X         ',
  'X..X        ',
  'X...X       ',
  'X....X      ',
  'X.....X     ',
  'X......X    ',
  'X.......X   ',
  'X........X  ',
  'X.....XXXXX ',
  'X..X..X     ',
  'X.X X..X    ',
  'XX  X..X    ',
  'X    X..X   ',
  '     X..X   ',
  '      XX    ',
];

export const ARROW: {
  /** Where its tip is, and its size. */
  place: Rectangle;
  rgb: Buffer;
  /** One bit a pixel, rows in whole bytes. */
  mask: Buffer;
} = draw(PICTURE);

function draw(rows: readonly string[]): typeof ARROW {
  const width = rows[0]!.length;
  const rowBytes = Math.ceil(width / 8);
  const rgb = Buffer.alloc(width * rows.length * 3);
  const mask = Buffer.alloc(rowBytes * rows.length);
  rows.forEach((row, y) => {
    for (let x = 0; x < width; x += 1) {
      if (row[x] === '.') rgb.fill(0xff, (y * width + x) * 3, (y * width + x + 1) * 3);
      if (row[x] === ' ') continue;
      const at = y * rowBytes + (x >> 3);
      mask[at] = mask[at]! | (0x80 >> (x & 7));
    }
  });
  return { place: { x: 0, y: 0, width, height: rows.length }, rgb, mask };
}
