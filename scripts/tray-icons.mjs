/**
 * Draws the icons of the tray into resources/icons: a window with a sign in it that says how the agent is.
 * Run by hand when the drawing changes: node scripts/tray-icons.mjs
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

const folder = join(fileURLToPath(new URL('..', import.meta.url)), 'resources', 'icons');
/** Each state has a colour and a sign: not everybody tells colours apart, and macOS shows none. */
const STATES = {
  idle: {
    colour: '#868e96',
    sign: '<circle cx="16" cy="19" r="3" fill="none" stroke="INK" stroke-width="2"/>',
  },
  running: { colour: '#228be6', sign: '<path d="M13 14.5 L21 19 L13 23.5 Z" fill="INK"/>' },
  paused: { colour: '#868e96', sign: '<path d="M12.5 14.5h2.6v9h-2.6zM17 14.5h2.6v9h-2.6z" fill="INK"/>' },
  person: {
    colour: '#f08c00',
    sign: '<circle cx="16" cy="16" r="2.4" fill="INK"/><path d="M11.5 24 a4.5 4.5 0 0 1 9 0 Z" fill="INK"/>',
  },
  offline: {
    colour: '#e8590c',
    sign: '<path d="M12.5 15.5 L19.5 22.5 M19.5 15.5 L12.5 22.5" stroke="INK" stroke-width="2.4" stroke-linecap="round"/>',
  },
  error: { colour: '#e03131', sign: '<path d="M14.8 13.5h2.4v6h-2.4zM14.8 21h2.4v2.4h-2.4z" fill="INK"/>' },
};

const trayIcon = ({ colour, sign }, isTemplate) => {
  const ink = isTemplate ? '#000000' : colour;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
  <rect x="3" y="5" width="26" height="22" rx="4" fill="${isTemplate ? 'none' : '#ffffff'}" stroke="${ink}" stroke-width="2.4"/>
  <path d="M3 11.2h26" stroke="${ink}" stroke-width="2.4"/>
  <circle cx="7.4" cy="8.2" r="1.1" fill="${ink}"/><circle cx="11" cy="8.2" r="1.1" fill="${ink}"/>
  ${sign.replaceAll('INK', ink)}
</svg>`;
};

mkdirSync(folder, { recursive: true });
for (const [name, state] of Object.entries(STATES)) {
  for (const [suffix, isTemplate] of [
    ['', false],
    ['Template', true],
  ]) {
    const svg = trayIcon(state, isTemplate);
    await draw(svg, `tray-${name}${suffix}.png`, 16);
    await draw(svg, `tray-${name}${suffix}@2x.png`, 32);
  }
}

async function draw(svg, name, sizePx) {
  await sharp(Buffer.from(svg), { density: 72 * 8 })
    .resize(sizePx, sizePx)
    .png({ compressionLevel: 9 })
    .toFile(join(folder, name));
}
