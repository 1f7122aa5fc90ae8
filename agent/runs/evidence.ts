/**
 * Where a run's artifacts go: a row in the store, and for those that the level lets out, a row in the
 * upload queue at once, so that uploading runs beside the run.
 */
import { rm } from 'node:fs/promises';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { ResolvedLevel } from '../base/words.ts';
import type { ArtifactSink, NewArtifact } from '../recording/types.ts';
import type { ArtifactRepository } from '../store/artifacts.ts';
import type { NewUpload } from '../store/uploads.ts';
import { artifactMetadata } from '../uploads/metadata.ts';

export interface EvidenceOptions {
  runId: string;
  taskId: string | null;
  scriptName: string;
  /** Name of this agent. */
  agentName: string;
  level: ResolvedLevel;
  bucket: string | null;
  artifacts: Pick<ArtifactRepository, 'addArtifact'>;
  uploads: { enqueue(upload: NewUpload): void } | null;
  clock: Clock;
}

/** The picture that was taken of a step when it had ended. */
export interface StepPicture {
  stepNumber: number;
  /** On this machine; null: only until it is uploaded. */
  path: string | null;
  /** Null: it stays here. */
  s3Uri: string | null;
  sizeBytes: number;
}

/** The manifest goes last: who finds it in S3 may expect the rest to be there or on its way. */
const PRIORITY = { manifest: -1, other: 0 };

export class Evidence implements ArtifactSink {
  /** Evidence that did not make it, in words for the result. */
  readonly problems: string[] = [];
  readonly #options: EvidenceOptions;
  readonly #uploaded: NewArtifact[] = [];
  readonly #pictures: NewArtifact[] = [];
  readonly #discard: string[] = [];

  constructor(options: EvidenceOptions) {
    this.#options = options;
  }

  add(artifact: NewArtifact): void {
    const { artifacts, uploads, bucket, clock, runId } = this.#options;
    try {
      artifacts.addArtifact(runId, { ...artifact, now: clock.now() });
    } catch (thrown) {
      this.problems.push(`${artifact.key} could not be recorded: ${messageOf(thrown)}`);
      return;
    }
    if (artifact.contentType.startsWith('image/')) this.#pictures.push(artifact);
    if (artifact.upload && uploads && bucket) {
      uploads.enqueue({
        runId,
        path: artifact.path,
        bucket,
        key: this.#keyOf(artifact.key),
        contentType: artifact.contentType,
        metadata: artifactMetadata({
          runId,
          taskId: this.#options.taskId,
          scriptName: this.#options.scriptName,
          level: this.#options.level.level,
          agent: this.#options.agentName,
        }),
        sizeBytes: artifact.sizeBytes,
        sha256: artifact.sha256,
        priority: artifact.kind === 'manifest' ? PRIORITY.manifest : PRIORITY.other,
        removeAfter: !artifact.keep,
      });
      this.#uploaded.push(artifact);
    } else if (!artifact.keep) {
      this.#discard.push(artifact.path);
    }
    if (artifact.upload && uploads && !bucket && this.problems.length === 0) {
      this.problems.push(
        'no bucket is configured, so the evidence stays on this machine. Set aws.s3_bucket, or run setup.',
      );
    }
  }

  /** The S3 URI of an artifact that is on its way there; null for one that stays here. */
  uriOf(key: string): string | null {
    const { bucket } = this.#options;
    return this.#uploaded.some((artifact) => artifact.key === key)
      ? `s3://${bucket}/${this.#keyOf(key)}`
      : null;
  }

  /** The pictures of steps, in the steps' order. */
  stepPictures(): StepPicture[] {
    return this.#pictures
      .flatMap(({ stepNumber, key, path, keep, sizeBytes }) => {
        const s3Uri = this.uriOf(key);
        if (stepNumber === undefined || (s3Uri === null && !keep)) return [];
        return [{ stepNumber, path: keep ? path : null, s3Uri, sizeBytes }];
      })
      .sort((a, b) => a.stepNumber - b.stepNumber);
  }

  /** S3 URIs of the evidence of a failure. */
  failureUris(): string[] {
    return this.#uploaded
      .filter((artifact) => artifact.key.startsWith('failure/'))
      .flatMap((artifact) => this.uriOf(artifact.key) ?? []);
  }

  totals(): { files: number; sizeBytes: number } {
    return {
      files: this.#uploaded.length,
      sizeBytes: this.#uploaded.reduce((sum, artifact) => sum + artifact.sizeBytes, 0),
    };
  }

  /** Removes what neither level wants any more. */
  async tidy(): Promise<void> {
    for (const path of this.#discard) await rm(path, { force: true });
  }

  #keyOf(key: string): string {
    return `browser-sessions/${this.#options.runId}/${key}`;
  }
}
