import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { artifactMetadata, asciiSafe } from './metadata.ts';

/** As S3 and mail programs read it (RFC 2047, base64 words; blanks between words do not count). */
function decode(value: string): string {
  if (!value.startsWith('=?UTF-8?B?')) return value;
  return value
    .split(' ')
    .map((word) => Buffer.from(word.slice('=?UTF-8?B?'.length, -2), 'base64').toString())
    .join('');
}

describe('object metadata', () => {
  test('has the documented keys; an unknown task is left out', () => {
    const facts = { runId: 'r', scriptName: 's', level: 'INFO', agent: 'a' };
    expect(Object.keys(artifactMetadata({ ...facts, taskId: 't' }))).toEqual([
      'run-id',
      'task-id',
      'script-name',
      'level',
      'agent',
    ]);
    expect(artifactMetadata(facts)).not.toHaveProperty('task-id');
  });

  test('is printable ASCII whatever goes in, so that no value can end or forge a header', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        const value = asciiSafe(text);
        expect(value).toMatch(/^[\x20-\x7e]*$/);
        expect(value.length).toBeLessThanOrEqual(300);
        expect(value).toBe(value.trim());
      }),
    );
  });

  test('comes back as it was when it is short enough', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 20 }), (text) => {
        expect(decode(asciiSafe(text))).toBe(text.trim());
      }),
    );
  });
});
