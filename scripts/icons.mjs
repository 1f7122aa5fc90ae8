/**
 * Draws the icons of the app and of its tray into resources/icons: one window with a dot that says how it is.
 * Run by hand when the drawing changes: node scripts/icons.mjs
 */
import { mkdirSync, writeFileSync } from 'node:fs';
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

const APP = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 512 512">
  <defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#339af0"/><stop offset="1" stop-color="#1864ab"/></linearGradient></defs>
  <rect x="24" y="24" width="464" height="464" rx="104" fill="url(#sky)"/>
  <rect x="96" y="128" width="320" height="256" rx="32" fill="#ffffff"/>
  <path d="M96 160 a32 32 0 0 1 32 -32 h256 a32 32 0 0 1 32 32 v36 h-320 Z" fill="#d0ebff"/>
  <circle cx="136" cy="162" r="12" fill="#1c7ed6"/><circle cx="176" cy="162" r="12" fill="#1c7ed6"/>
  <path d="M222 232 L326 292 L222 352 Z" fill="#1c7ed6"/>
</svg>`;

mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'app.svg'), `${APP}\n`);
await draw(APP, 'app.png', 1024);
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
