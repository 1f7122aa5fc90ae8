import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RECORDING_LEVELS, type RecordingLevel } from '../base/words.ts';
import { ARTIFACT_KINDS, type ArtifactKind } from './artifact-kinds.ts';
import { artifactWanted } from './levels.ts';

const kinds = fc.constantFrom(...ARTIFACT_KINDS);
const levels = fc.constantFrom(...RECORDING_LEVELS);

function wantedAt(level: RecordingLevel, failed: boolean): ArtifactKind[] {
  return ARTIFACT_KINDS.filter((kind) => artifactWanted(kind, level, { failed }));
}

describe('levels', () => {
  test('a higher level shows everything that a lower one shows', () => {
    fc.assert(
      fc.property(kinds, levels, levels, fc.boolean(), (kind, a, b, failed) => {
        const [low, high] = RECORDING_LEVELS.indexOf(a) <= RECORDING_LEVELS.indexOf(b) ? [a, b] : [b, a];
        return !artifactWanted(kind, low, { failed }) || artifactWanted(kind, high, { failed });
      }),
    );
  });

  test('what a run has when it succeeds it also has when it fails', () => {
    fc.assert(
      fc.property(
        kinds,
        levels,
        (kind, level) =>
          !artifactWanted(kind, level, { failed: false }) || artifactWanted(kind, level, { failed: true }),
      ),
    );
  });

  test('NONE has nothing, whatever happens', () => {
    expect(wantedAt('NONE', true)).toEqual([]);
    expect(wantedAt('NONE', false)).toEqual([]);
  });

  test('ERROR has nothing of a run that succeeds', () => {
    expect(wantedAt('ERROR', false)).toEqual([]);
  });

  test('ERROR has of a run that fails what explains the failure, and the manifest', () => {
    expect(wantedAt('ERROR', true)).toEqual([
      'failure_screenshot',
      'failure_html',
      'failure_errors',
      'failure_video',
      'manifest',
    ]);
  });

  test('INFO adds the final page, data, downloads and explicit pictures', () => {
    expect(wantedAt('INFO', false)).toEqual([
      'manifest',
      'final_screenshot',
      'final_html',
      'data',
      'download',
      'screenshot',
    ]);
  });

  test('DEBUG adds key steps, trace and network log, TRACE every step and the video', () => {
    const info = wantedAt('INFO', true);
    const debug = wantedAt('DEBUG', true);
    expect(debug.filter((kind) => !info.includes(kind))).toEqual([
      'key_screenshot',
      'key_html',
      'trace',
      'har',
    ]);
    expect(wantedAt('TRACE', true).filter((kind) => !debug.includes(kind))).toEqual([
      'step_screenshot',
      'step_html',
      'video',
    ]);
  });
});
