/**
 * Every kind of artifact, as data: the one place that says which levels record it, what its files are called
 * and how people see it. The recorder, the API, the app and the table in docs/recording-levels.md read it.
 */
import type { RecordingLevel } from '../base/words.ts';

interface ArtifactTraits {
  /** The weakest level that records it. */
  from: Exclude<RecordingLevel, 'NONE'>;
  /** Only in a run that fails. */
  onFailure?: true;
  /** From this level upwards also in a run that succeeds. */
  alwaysFrom?: RecordingLevel;
  /**
   * Content types by file name. `steps/{step}` becomes the number and name of the step, `{name}` the name that
   * the site gave. An empty content type: as the extension of the file says.
   */
  files: Record<string, string>;
  /** What people see: a noun phrase. */
  title: string;
  /** The words by which the description of its level in level-words.ts names it. */
  inLevelWords: string;
  /** What a person opens the file with, where a double click is not enough; a command in backticks. */
  opensWith?: string;
}

const HTML = 'text/html; charset=utf-8';
const JPEG = 'image/jpeg';
const JSON_TYPE = 'application/json';
const WEBM = 'video/webm';

/** Rows and manifests of past runs name these kinds: never rename or remove one. */
export const ARTIFACTS = {
  failure_screenshot: {
    from: 'ERROR',
    onFailure: true,
    files: { 'failure/screenshot.jpg': JPEG },
    title: 'Page when the run failed (screenshot)',
    inLevelWords: 'a picture of the page',
  },
  failure_html: {
    from: 'ERROR',
    onFailure: true,
    files: { 'failure/page.html': HTML },
    title: 'Page when the run failed (HTML)',
    inLevelWords: 'the page itself',
  },
  failure_errors: {
    from: 'ERROR',
    onFailure: true,
    files: { 'failure/errors.json': JSON_TYPE },
    title: 'Console and network errors',
    inLevelWords: 'the errors of page and network',
  },
  failure_video: {
    from: 'ERROR',
    onFailure: true,
    files: { 'failure/last-30s.webm': WEBM },
    title: 'Last 30 seconds before the failure (video)',
    inLevelWords: 'the last 30 seconds as video',
  },
  manifest: {
    from: 'ERROR',
    onFailure: true,
    alwaysFrom: 'INFO',
    files: { 'manifest.json': JSON_TYPE },
    title: 'Manifest',
    inLevelWords: 'a list of these files',
  },
  final_screenshot: {
    from: 'INFO',
    files: { 'final/screenshot.jpg': JPEG },
    title: 'Final page (screenshot)',
    inLevelWords: 'the final page',
  },
  final_html: {
    from: 'INFO',
    files: { 'final/page.html': HTML },
    title: 'Final page (HTML)',
    inLevelWords: 'the final page',
  },
  data: {
    from: 'INFO',
    files: { 'steps/{step}.json': JSON_TYPE, 'final/data.json': JSON_TYPE },
    title: 'Extracted data',
    inLevelWords: 'extracted data',
  },
  download: {
    from: 'INFO',
    files: { 'files/{name}': '' },
    title: 'Downloaded file',
    inLevelWords: 'downloads',
  },
  screenshot: {
    from: 'INFO',
    files: { 'steps/{step}.jpg': JPEG, 'steps/{step}.png': 'image/png' },
    title: 'Screenshot',
    inLevelWords: 'requested screenshots',
  },
  key_screenshot: {
    from: 'DEBUG',
    files: { 'steps/{step}.jpg': JPEG },
    title: 'Page after a key step (screenshot)',
    inLevelWords: 'picture and page of the key steps',
  },
  key_html: {
    from: 'DEBUG',
    files: { 'steps/{step}.html': HTML },
    title: 'Page after a key step (HTML)',
    inLevelWords: 'picture and page of the key steps',
  },
  trace: {
    from: 'DEBUG',
    files: { 'trace.zip': 'application/zip' },
    title: 'Playwright trace',
    inLevelWords: 'a trace',
    opensWith: '`npx playwright show-trace trace.zip`',
  },
  har: {
    from: 'DEBUG',
    files: { 'network.har': JSON_TYPE },
    title: 'Network log (HAR)',
    inLevelWords: 'a network log',
    opensWith: 'the Network panel of a browser’s developer tools',
  },
  step_screenshot: {
    from: 'TRACE',
    files: { 'steps/{step}.jpg': JPEG },
    title: 'Page after a step (screenshot)',
    inLevelWords: 'picture and page of every step',
  },
  step_html: {
    from: 'TRACE',
    files: { 'steps/{step}.html': HTML },
    title: 'Page after a step (HTML)',
    inLevelWords: 'picture and page of every step',
  },
  video: {
    from: 'TRACE',
    files: { 'video.webm': WEBM },
    title: 'Whole run (video)',
    inLevelWords: 'the whole run as video',
  },
} as const satisfies Record<string, ArtifactTraits>;

export type ArtifactKind = keyof typeof ARTIFACTS;

/** The file names of a kind. */
export type FileOf<Kind extends ArtifactKind> = Kind extends ArtifactKind
  ? keyof (typeof ARTIFACTS)[Kind]['files'] & string
  : never;

export const ARTIFACT_KINDS = Object.keys(ARTIFACTS) as ArtifactKind[];

/** Whether the table knows a kind: rows of past runs may come from another version. */
export function isArtifactKind(kind: string): kind is ArtifactKind {
  return Object.hasOwn(ARTIFACTS, kind);
}

/** A row of the table, without the literal types of its values. */
export function traitsOf(kind: ArtifactKind): ArtifactTraits {
  return ARTIFACTS[kind];
}

export function contentTypeOf<Kind extends ArtifactKind>(kind: Kind, file: FileOf<Kind>): string {
  return traitsOf(kind).files[file] ?? '';
}
