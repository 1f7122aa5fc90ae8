import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ARTIFACT_KINDS, traitsOf } from './artifact-kinds.ts';
import { renderArtifactTable } from './artifact-table.ts';
import type { CaptureTools } from './capture-source.ts';
import { LEVEL_WORDS } from './level-words.ts';
import { createSources } from './sources/index.ts';

const DOC = fileURLToPath(new URL('../../docs/recording-levels.md', import.meta.url));
const BEGIN = '<!-- begin: generated from agent/recording/artifact-kinds.ts -->\n';
const END = '\n<!-- end: generated -->';

/** Recorded by {@link RequestedFiles} because a script asks for it, and by the recorder itself. */
const RECORDED_ELSEWHERE = ['download', 'manifest'];

test('docs/recording-levels.md lists every artifact; run with -u after a change', async () => {
  const doc = readFileSync(DOC, 'utf8');
  const from = doc.indexOf(BEGIN) + BEGIN.length;
  const to = doc.indexOf(END, from);
  expect(from).toBeGreaterThan(BEGIN.length);
  await expect(`${doc.slice(0, from)}${renderArtifactTable()}${doc.slice(to)}`).toMatchFileSnapshot(DOC);
});

test('the description of a level names every kind that it adds', () => {
  const unnamed = ARTIFACT_KINDS.filter((kind) => {
    const { from, inLevelWords } = traitsOf(kind);
    return !LEVEL_WORDS[from].uploads.toLowerCase().includes(inLevelWords);
  });
  expect(unnamed).toEqual([]);
});

test('every kind has a source that records it', () => {
  const sources = createSources({ workDir: '.' } as CaptureTools);
  const recorded = [...sources.flatMap(({ kinds }) => kinds), ...RECORDED_ELSEWHERE];
  expect(ARTIFACT_KINDS.filter((kind) => !recorded.includes(kind))).toEqual([]);
});

test('file names are unique where a run has one file of a kind', () => {
  const names = ARTIFACT_KINDS.flatMap((kind) => Object.keys(traitsOf(kind).files)).filter(
    (name) => !name.includes('{'),
  );
  expect(new Set(names).size).toBe(names.length);
});
