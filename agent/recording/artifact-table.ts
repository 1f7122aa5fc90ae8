import { RECORDING_LEVELS, type RecordingLevel } from '../base/words.ts';
import { ARTIFACT_KINDS, traitsOf, type ArtifactKind } from './artifact-kinds.ts';
import { artifactWanted } from './levels.ts';

/** The table of artifacts in docs/recording-levels.md. */
export function renderArtifactTable(): string {
  const head = ['artifact', 'kind', 'file', ...RECORDING_LEVELS];
  const rows = ARTIFACT_KINDS.map((kind) => [
    titleOf(kind),
    `\`${kind}\``,
    Object.keys(traitsOf(kind).files)
      .map((name) => `\`${name}\``)
      .join(', '),
    ...RECORDING_LEVELS.map((level) => mark(kind, level)),
  ]);
  return [head, ['---', '---', '---', ...RECORDING_LEVELS.map(() => ':-:')], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function titleOf(kind: ArtifactKind): string {
  const { title, opensWith } = traitsOf(kind);
  return opensWith === undefined ? title : `${title}; open with ${opensWith}`;
}

function mark(kind: ArtifactKind, level: RecordingLevel): string {
  if (artifactWanted(kind, level, { failed: false })) return '●';
  return artifactWanted(kind, level, { failed: true }) ? 'on failure' : '–';
}
