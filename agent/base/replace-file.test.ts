import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { replaceFile } from './replace-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'lba-replace-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Fails so often, then renames: as a file does that an antivirus program looks into. */
function heldFor(times: number, code: string): { rename: typeof renameSync; tries: () => number } {
  let tries = 0;
  return {
    tries: () => tries,
    rename: (from, to) => {
      tries += 1;
      if (tries <= times) throw Object.assign(new Error(code), { code });
      renameSync(from, to);
    },
  };
}

describe('replacing a file', () => {
  test.each(['EPERM', 'EBUSY', 'EACCES'])(
    'one that another program holds (%s) is replaced when it lets go',
    (code) => {
      const [from, to] = [join(folder, `${code}.new`), join(folder, code)];
      writeFileSync(from, 'new');
      writeFileSync(to, 'old');
      const { rename, tries } = heldFor(3, code);
      replaceFile(from, to, rename);
      expect(readFileSync(to, 'utf8')).toBe('new');
      expect(existsSync(from)).toBe(false);
      expect(tries()).toBe(4);
    },
  );

  test('what waiting does not mend is thrown at once', () => {
    const { rename, tries } = heldFor(3, 'ENOSPC');
    expect(() => replaceFile('a', 'b', rename)).toThrow('ENOSPC');
    expect(tries()).toBe(1);
  });

  test('a file that is held for good is an error in the end', () => {
    const { rename } = heldFor(100, 'EBUSY');
    expect(() => replaceFile('a', 'b', rename)).toThrow('EBUSY');
  });
});
