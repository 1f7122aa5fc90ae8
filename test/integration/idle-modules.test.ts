/** What an agent that does nothing must not carry: each of these is megabytes of memory until the end. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Loaded with the first run, the first request, the first picture. */
const FOR_LATER = [
  'playwright',
  'playwright-core',
  'fastify',
  'sharp',
  '@fastify/swagger',
  'undici',
  'live/live-view',
  'live/tcp-server',
];

test('the agent starts without what only runs, requests and pictures need', () => {
  const program = `
    import { registerHooks } from 'node:module';
    const loads = {};
    registerHooks({
      resolve(specifier, context, next) {
        const found = next(specifier, context);
        const name = /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(found.url)?.[1]
          ?? /agent\\/(live\\/[^.]+)\\.ts$/.exec(found.url)?.[1];
        if (name !== undefined) loads[name] ??= context.parentURL;
        return found;
      },
    });
    await import(${JSON.stringify(new URL('../../agent/agent.ts', import.meta.url).href)});
    await import(${JSON.stringify(new URL('../../agent/serve.ts', import.meta.url).href)});
    await import(${JSON.stringify(new URL('../../agent/api/start.ts', import.meta.url).href)});
    console.log(JSON.stringify(loads));
  `;
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  const loads = JSON.parse(text) as Record<string, string>;
  expect(Object.keys(loads)).toContain('zod');
  // Each with the file that asks for it: load that one where it is needed, with import().
  expect(Object.entries(loads).filter(([name]) => FOR_LATER.includes(name))).toEqual([]);
});

test('the built agent serves requests without what only importing node:http brings: Node’s fetch and WebSocket', () => {
  const folder = new URL('../../dist/agent/parts/', import.meta.url);
  const parts = readdirSync(folder).filter((name) => /^(server|serve-loop)-/.test(name));
  expect(parts.length).toBeGreaterThan(1);
  const program = `
    for (const part of ${JSON.stringify(parts)}) await import(${JSON.stringify(folder.href)} + part);
    console.log(process.moduleLoadList.join());
  `;
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  const loaded = text.trim().split(',');
  expect(loaded).toContain('NativeModule http');
  expect(loaded).not.toContain('NativeModule internal/deps/undici/undici');
});
