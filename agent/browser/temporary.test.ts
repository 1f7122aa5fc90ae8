import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { browserHome } from '../../test/fixtures/browser-home.ts';

it('temporary folders of processes that are gone are removed at start, those of living ones stay', async () => {
  const { temporary, paths } = await browserHome();
  const mine = temporary.create();
  const abandoned = join(paths.temporary, 'abandoned');
  mkdirSync(join(abandoned, 'profile'), { recursive: true });
  writeFileSync(join(abandoned, 'lba-owner.json'), JSON.stringify({ pid: process.pid, started: 'before' }));
  const unowned = join(paths.temporary, 'unowned');
  mkdirSync(unowned);
  utimesSync(unowned, 1, 1);
  const beingMade = join(paths.temporary, 'being made');
  mkdirSync(beingMade);

  expect(await temporary.removeAbandoned()).toBe(2);
  expect([mine.dir, abandoned, unowned, beingMade].map((dir) => existsSync(dir))).toEqual([
    true,
    false,
    false,
    true,
  ]);
  await mine.remove();
  expect(existsSync(mine.dir)).toBe(false);
});
