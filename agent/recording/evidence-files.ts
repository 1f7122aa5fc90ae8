import type { JsonObject } from '../base/words.ts';
import { contentTypeOf, type ArtifactKind, type FileOf } from './artifact-kinds.ts';
import type { ArtifactWriter, Made } from './artifact-writer.ts';
import type { Capture } from './capture-queue.ts';
import { fitPicture, INFO_PICTURE_BYTES } from './fit-picture.ts';
import type { Redactor } from './redaction.ts';
import { stepKey } from './slug.ts';
import type { ProcessRegistry, RecordedStep } from './types.ts';

export interface EvidenceFilesOptions {
  writer: ArtifactWriter;
  redactor: Redactor;
  ffmpeg: string | null;
  processes?: ProcessRegistry;
  /** Make large pictures smaller: up to INFO storage counts, above it time. */
  isSmall: boolean;
}

type StepName = Pick<RecordedStep, 'stepNumber' | 'name' | 'action'>;
type Picture = Pick<Capture, 'jpeg' | 'masked' | 'problem'>;

/**
 * Writes redacted evidence under the names of artifact-kinds.ts. Each method returns at once: the writer
 * makes the files one after the other, and reports those that fail.
 */
export class EvidenceFiles {
  readonly #options: EvidenceFilesOptions;

  constructor(options: EvidenceFilesOptions) {
    this.#options = options;
  }

  picture<Kind extends ArtifactKind>(
    kind: Kind,
    file: FileOf<Kind>,
    picture: Promise<Picture> | Picture,
    step?: StepName,
  ): void {
    this.write(kind, file, step, async () => {
      const { jpeg, masked, problem } = await picture;
      if (!jpeg) throw new Error(problem ?? 'the page could not be drawn');
      return { data: await this.fit(jpeg), masked };
    });
  }

  html<Kind extends ArtifactKind>(
    kind: Kind,
    file: FileOf<Kind>,
    capture: Promise<Capture> | Capture,
    step?: StepName,
  ): void {
    this.write(kind, file, step, async () => {
      const { html, problem } = await capture;
      if (!html) throw new Error(problem ?? 'the page did not answer');
      const { text, masked } = this.#options.redactor.redactEvidence(html.html);
      return { data: Buffer.from(text), masked: masked + html.masked };
    });
  }

  /** `isEvidence`: seen on the way, so also masked by form; not data that a script was asked to bring. */
  json<Kind extends ArtifactKind>(
    kind: Kind,
    file: FileOf<Kind>,
    value: JsonObject,
    options: { isEvidence: boolean; step?: StepName },
  ): void {
    this.write(kind, file, options.step, () => {
      const { isEvidence } = options;
      const redacted = this.#options.redactor.redactJsonCounted(value, { isEvidence });
      return { data: Buffer.from(`${JSON.stringify(redacted.value, null, 2)}\n`), masked: redacted.masked };
    });
  }

  /** `make` runs when its turn comes, and returns redacted bytes. */
  write<Kind extends ArtifactKind>(
    kind: Kind,
    file: FileOf<Kind>,
    step: StepName | undefined,
    make: () => Promise<Made> | Made,
  ): void {
    const { writer } = this.#options;
    const described = {
      kind,
      key: writer.reserve(keyOf(file, step)),
      contentType: contentTypeOf(kind, file),
      ...(step ? { stepNumber: step.stepNumber } : {}),
    };
    // The writer reports a failure.
    void writer.write(described, make);
  }

  /** A file that somebody else writes: its final path, and what to call when it is complete. */
  reserve<Kind extends ArtifactKind>(kind: Kind, file: FileOf<Kind>): { path: string; adopt: () => void } {
    const { writer } = this.#options;
    const key = writer.reserve(file);
    const path = writer.pathOf(key);
    return {
      path,
      adopt: () => void writer.adopt({ kind, key, contentType: contentTypeOf(kind, file) }, path),
    };
  }

  /** The picture as it is, or smaller where storage counts. */
  fit(jpeg: Buffer): Promise<Buffer> {
    const { isSmall, ffmpeg, processes } = this.#options;
    if (!isSmall) return Promise.resolve(jpeg);
    return fitPicture(jpeg, { ffmpeg, maxBytes: INFO_PICTURE_BYTES, ...(processes ? { processes } : {}) });
  }
}

function keyOf(file: string, step: StepName | undefined): string {
  return step ? file.replace('steps/{step}', stepKey(step)) : file;
}
