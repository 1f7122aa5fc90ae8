/** Pictures and documents of the demo portal, made from numbers: nothing is taken from anywhere. */
import { crc32, deflateSync } from 'node:zlib';

export interface Picture {
  width: number;
  height: number;
  /** Same seed, same picture. */
  seed: number;
}

/**
 * A landscape as PNG: sky, sun, three ridges and water, with fine noise, so that it weighs and compresses
 * about as a photograph does.
 */
export function landscapePng({ width, height, seed }: Picture): Buffer {
  const random = randomFrom(seed);
  const sky = [40 + random() * 60, 90 + random() * 60, 150 + random() * 60] as const;
  const warm = [235, 150 + random() * 60, 110 + random() * 60] as const;
  const sun = { x: width * (0.2 + random() * 0.6), y: height * (0.2 + random() * 0.2), r: height * 0.06 };
  const ridges = [0.5, 0.6, 0.7].map((level, index) => ({
    base: height * level,
    height: height * (0.16 - index * 0.03),
    phase: random() * 10,
    step: 2 + random() * 3,
    shade: 0.75 - index * 0.22,
  }));
  const raw = Buffer.alloc((width * 3 + 1) * height);
  let offset = 0;
  for (let y = 0; y < height; y += 1) {
    raw[offset++] = 0; // filter type: none
    for (let x = 0; x < width; x += 1) {
      const t = y / height;
      const near = Math.hypot(x - sun.x, y - sun.y);
      const glow = near < sun.r ? 1 : Math.exp(-near / (height * 0.35)) * 0.6;
      let [red, green, blue] = [0, 1, 2].map(
        (channel) => (sky[channel] ?? 0) * (1 - t) + (warm[channel] ?? 0) * t + glow * 90,
      ) as [number, number, number];
      for (const ridge of ridges) {
        if (y <= ridgeLine(ridge, x / width)) continue;
        [red, green, blue] = [sky[0] * ridge.shade, sky[1] * ridge.shade, sky[2] * ridge.shade];
      }
      if (t > 0.82) {
        const ripple = Math.sin(y * 0.9 + Math.sin(x * 0.05) * 3) * 12;
        [red, green, blue] = [red * 0.5 + 30 + ripple, green * 0.5 + 50 + ripple, blue * 0.5 + 70 + ripple];
      }
      const grain = (random() - 0.5) * 10;
      raw[offset++] = clampByte(red + grain);
      raw[offset++] = clampByte(green + grain);
      raw[offset++] = clampByte(blue + grain);
    }
  }
  return png(width, height, raw);
}

function ridgeLine(ridge: { base: number; height: number; phase: number; step: number }, at: number): number {
  const wave =
    Math.sin(at * ridge.step * Math.PI + ridge.phase) * 0.6 +
    Math.sin(at * ridge.step * 3.7 * Math.PI + ridge.phase * 2) * 0.3 +
    Math.sin(at * ridge.step * 9.1 * Math.PI + ridge.phase * 3) * 0.1;
  return ridge.base - wave * ridge.height;
}

/** PNG, 8-bit RGB (https://www.w3.org/TR/png-3/). */
function png(width: number, height: number, raw: Buffer): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(raw)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** A one-page PDF 1.4 with lines of text (ISO 32000-1); 12-point Helvetica, A4. */
export function textPdf(lines: string[]): Buffer {
  const text = lines
    .map((line) => `(${line.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/([\\()])/g, '\\$1')}) Tj T*`)
    .join('\n');
  const content = `BT /F1 12 Tf 56 780 Td 18 TL\n${text}\nET`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  let body = '%PDF-1.4\n';
  const offsets = objects.map((object, index) => {
    const at = body.length;
    body += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return at;
  });
  const table = offsets.map((at) => `${String(at).padStart(10, '0')} 00000 n \n`).join('');
  body += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${body.length}\n%%EOF\n`;
  return Buffer.from(body, 'latin1');
}

/** A small seeded generator (mulberry32): pictures and data are the same on every machine. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function clampByte(value: number): number {
  return Math.max(0, Math.min(255, Math.round(value)));
}
