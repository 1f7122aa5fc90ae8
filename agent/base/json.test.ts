import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { JsonError, parseJson, readJsonFile } from './json.ts';

const schema = z.object({ name: z.string(), ports: z.array(z.int()) });

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lba-json-'));
  file = join(folder, 'settings.json');
});

afterEach(() => rmSync(folder, { recursive: true }));

function failing(work: () => unknown): JsonError {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof JsonError) return thrown;
    throw thrown;
  }
  throw new Error('it worked');
}

test('a file is read, parsed and validated; a byte order mark is no part of it', () => {
  writeFileSync(file, '\uFEFF{"name": "a", "ports": [1, 2]}');
  expect(readJsonFile(file, schema)).toEqual({ name: 'a', ports: [1, 2] });
});

test('a file that does not exist and one that cannot be read are told apart', () => {
  expect(failing(() => readJsonFile(file, schema))).toMatchObject({
    fault: 'missing',
    message: `${file} does not exist`,
  });
  mkdirSync(file);
  expect(failing(() => readJsonFile(file, schema))).toMatchObject({
    fault: 'unreadable',
    message: expect.stringMatching(/settings\.json cannot be read: EISDIR/),
  });
});

test.each([
  ['{\n  "name": "a"\n  "ports": []\n}', 'line 3, column 3: comma expected'],
  ['{"name": secret-word}', 'line 1, column 10: invalid symbol'],
  ['{"name": "a",}', 'line 1, column 14: property name expected'],
  ['{"name": "a"', 'line 1, column 13: close brace expected'],
  ['{"name": "a"} // no comments', 'line 1, column 15: invalid comment token'],
  ['  \n', 'it is empty'],
])('%j is not JSON: %s', (text, words) => {
  writeFileSync(file, text);
  const { fault, message, cause } = failing(() => readJsonFile(file, schema, 'The file'));
  expect({ fault, message, cause }).toEqual({
    fault: 'syntax',
    message: `The file is not JSON: ${words}`,
    cause: undefined,
  });
});

test('JSON of another form says which fields are wrong, and quotes no value', () => {
  const text = '{"name": 4711, "ports": ["secret-word", "x", "y", "z"]}';
  const { fault, message } = failing(() => parseJson(text, schema, 'the secret'));
  expect(fault).toBe('shape');
  expect(message).toMatch(
    /^the secret is not as expected: name: .+; ports\.0: .+; ports\.1: .+; and 2 more$/,
  );
  expect(message).not.toMatch(/4711|secret-word/);
});
