import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ScriptLibrary } from './script-library.ts';

let folder: string;
let library: ScriptLibrary;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lba-library-'));
  mkdirSync(join(folder, 'scripts'));
  for (const [file, text] of Object.entries({
    'invoices@1.json': '1',
    'invoices@2.json': '2',
    'invoices@10.json': '10',
    'plain.json': 'plain',
    'plain@7.json': '7',
  })) {
    writeFileSync(join(folder, 'scripts', file), text);
  }
  writeFileSync(join(folder, 'outside.json'), 'secret');
  library = new ScriptLibrary(join(folder, 'scripts'));
});

afterEach(() => rmSync(folder, { recursive: true }));

test('a name without a version means the script without one, else the highest version', () => {
  expect(library.read('plain')).toBe('plain');
  expect(library.read('invoices')).toBe('10');
});

test('a version is taken exactly', () => {
  expect(library.read('invoices@2')).toBe('2');
  expect(() => library.read('invoices@3')).toThrow(/no stored script "invoices@3".*invoices@10/);
});

test('a file is read only inside the folder, whatever its name or link says', () => {
  symlinkSync(join(folder, 'outside.json'), join(folder, 'scripts', 'link.json'));
  expect(library.read('plain@7.json')).toBe('7');
  expect(() => library.read('../outside.json')).toThrow(/no stored script/);
  expect(() => library.read('link.json')).toThrow(/no stored script/);
});

test('an empty or missing folder is said as such', () => {
  expect(() => new ScriptLibrary(join(folder, 'nowhere')).read('x')).toThrow(/holds no scripts yet/);
});

test('a missing folder has no scripts; a folder that cannot be read is an error, not an empty library', () => {
  expect(new ScriptLibrary(join(folder, 'none')).list()).toEqual([]);
  expect(() => new ScriptLibrary(join(folder, 'outside.json')).list()).toThrow(
    /folder of stored scripts cannot be read: ENOTDIR.*Check its permissions/,
  );
});
