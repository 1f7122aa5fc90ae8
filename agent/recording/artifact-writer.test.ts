import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../base/log.ts';
import type { RecordingLevel } from '../base/words.ts';
import { ArtifactWriter } from './artifact-writer.ts';
import type { NewArtifact } from './types.ts';

describe('ArtifactWriter', () => {
  let runDir = '';
  beforeEach(() => {
    runDir = mkdtempSync(join(tmpdir(), 'writer-test-'));
  });
  afterEach(() => rmSync(runDir, { recursive: true }));

  function writer(level: RecordingLevel, keepLevel: RecordingLevel) {
    const added: NewArtifact[] = [];
    const sink = { add: (artifact: NewArtifact) => added.push(artifact) };
    const options = { runId: 'r1', runDir, level, keepLevel, sink: sink as never, log: silentLogger };
    return { writer: new ArtifactWriter(options), added };
  }

  test('upload follows the level alone, keep the keep level alone', () => {
    const { writer: one } = writer('NONE', 'TRACE');
    expect(one.wanted('video', { failed: false })).toEqual({ upload: false, keep: true });
    const { writer: other } = writer('TRACE', 'NONE');
    expect(other.wanted('video', { failed: false })).toEqual({ upload: true, keep: false });
  });

  test('a file is described as it is on disk', async () => {
    const { writer: it, added } = writer('INFO', 'NONE');
    const data = Buffer.from('some text');
    const described = {
      kind: 'data' as const,
      key: 'steps/003-x.json',
      contentType: 'application/json',
      masked: 1,
      stepNumber: 3,
    };
    const artifact = await it.write(described, () => ({ data, masked: 2 }));
    expect(added).toEqual([artifact]);
    expect(artifact).toEqual({
      runId: 'r1',
      kind: 'data',
      key: 'steps/003-x.json',
      path: join(runDir, 'steps', '003-x.json'),
      contentType: 'application/json',
      sizeBytes: 9,
      sha256: createHash('sha256').update(data).digest('hex'),
      upload: true,
      keep: false,
      masked: 3,
      stepNumber: 3,
    });
    expect(readFileSync(artifact!.path)).toEqual(data);
  });

  test('a file that is there already is hashed where it is', async () => {
    const { writer: it } = writer('INFO', 'INFO');
    const path = join(runDir, 'file.bin');
    writeFileSync(path, 'content');
    const described = { kind: 'download' as const, key: 'files/a.bin', contentType: 'x/y' };
    const artifact = await it.adopt(described, path);
    expect(artifact).toMatchObject({ path, sizeBytes: 7, upload: true, keep: true });
    expect(artifact!.sha256).toBe(createHash('sha256').update('content').digest('hex'));
  });

  test('what cannot be written is a problem of the recording, not of the run', async () => {
    const { writer: it, added } = writer('INFO', 'INFO');
    const gone = await it.adopt(
      { kind: 'download', key: 'files/gone', contentType: 'x/y' },
      join(runDir, 'gone'),
    );
    const odd = await it.write({ kind: 'data', key: 'odd.json', contentType: 'x/y' }, () => {
      // oxlint-disable-next-line no-throw-literal -- libraries throw such things
      throw 'odd';
    });
    expect([gone, odd]).toEqual([null, null]);
    expect(added).toEqual([]);
    expect(it.problems[0]).toMatch(/^files\/gone: ENOENT/);
    expect(it.problems[1]).toBe('odd.json: odd');
  });

  test('a key that is taken gets a number', () => {
    const { writer: it } = writer('INFO', 'INFO');
    expect([1, 2, 3].map(() => it.reserve('steps/001-a.jpg'))).toEqual([
      'steps/001-a.jpg',
      'steps/001-a-2.jpg',
      'steps/001-a-3.jpg',
    ]);
    expect([1, 2].map(() => it.reserve('v1.2/name'))).toEqual(['v1.2/name', 'v1.2/name-2']);
  });

  test('draining waits for what is queued meanwhile, too', async () => {
    const { writer: it } = writer('INFO', 'INFO');
    const described = { kind: 'data' as const, contentType: 'text/plain' };
    void it.write({ ...described, key: 'a' }, () => {
      void it.write({ ...described, key: 'b' }, () => ({ data: Buffer.from('b') }));
      return { data: Buffer.from('a') };
    });
    await it.drain();
    expect(it.written.map(({ key }) => key)).toEqual(['a', 'b']);
  });
});
