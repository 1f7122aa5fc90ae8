import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Logger } from '../base/log.ts';
import type { RecordingLevel } from '../base/words.ts';
import type { ArtifactKind } from './artifact-kinds.ts';
import { artifactWanted } from './levels.ts';
import type { ArtifactSink, NewArtifact } from './types.ts';

export interface Wanted {
  upload: boolean;
  keep: boolean;
}

export interface WriterOptions {
  runId: string;
  runDir: string;
  level: RecordingLevel;
  keepLevel: RecordingLevel;
  sink: ArtifactSink;
  log: Logger;
}

/** The bytes of a file, and how many fields and values are hidden in it. */
export interface Made {
  data: Buffer;
  masked?: number;
}

interface Described {
  kind: ArtifactKind;
  key: string;
  contentType: string;
  masked?: number;
  stepNumber?: number;
  /** Narrower than the levels, e.g. by a script's `upload_to_s3: false`. */
  wanted?: Wanted;
}

/**
 * Puts artifacts on disk, with size and hash, while the run continues. Writes one after the other, so that
 * memory holds few of them at a time.
 */
export class ArtifactWriter {
  readonly #options: WriterOptions;
  readonly #keys = new Set<string>();
  readonly #written: NewArtifact[] = [];
  readonly #problems: string[] = [];
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  get written(): readonly NewArtifact[] {
    return this.#written;
  }

  get problems(): readonly string[] {
    return this.#problems;
  }

  wanted(kind: ArtifactKind, run: { failed: boolean }): Wanted {
    return {
      upload: artifactWanted(kind, this.#options.level, run),
      keep: artifactWanted(kind, this.#options.keepLevel, run),
    };
  }

  /** The key, or the key with a number when another file has it already (a step in a loop, for example). */
  reserve(key: string): string {
    const dot = key.lastIndexOf('.');
    const [stem, extension] = dot > key.lastIndexOf('/') ? [key.slice(0, dot), key.slice(dot)] : [key, ''];
    let free = key;
    for (let number = 2; this.#keys.has(free); number += 1) free = `${stem}-${number}${extension}`;
    this.#keys.add(free);
    return free;
  }

  pathOf(key: string): string {
    return join(this.#options.runDir, ...key.split('/'));
  }

  /** `make` runs when its turn comes, because serialising and redacting are work too. */
  write(described: Described, make: () => Promise<Made> | Made): Promise<NewArtifact | null> {
    return this.#queue(described, async () => {
      const { data, masked = 0 } = await make();
      const path = this.pathOf(described.key);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, data);
      const sha256 = createHash('sha256').update(data).digest('hex');
      return { path, sizeBytes: data.length, sha256, masked };
    });
  }

  /** Describes a file that exists already. */
  adopt(described: Described, path: string): Promise<NewArtifact | null> {
    return this.#queue(described, async () => {
      const hash = createHash('sha256');
      await pipeline(createReadStream(path), hash);
      const { size } = await stat(path);
      return { path, sizeBytes: size, sha256: hash.digest('hex'), masked: 0 };
    });
  }

  async drain(): Promise<void> {
    let seen: Promise<unknown> | undefined;
    while (seen !== this.#tail) {
      seen = this.#tail;
      await seen;
    }
  }

  #queue(
    described: Described,
    work: () => Promise<{ path: string; sizeBytes: number; sha256: string; masked: number }>,
  ): Promise<NewArtifact | null> {
    const { wanted, stepNumber, masked = 0, ...rest } = described;
    const { upload, keep } = wanted ?? this.wanted(described.kind, { failed: true });
    const done = this.#tail.then(async (): Promise<NewArtifact | null> => {
      try {
        const file = await work();
        const artifact: NewArtifact = {
          runId: this.#options.runId,
          ...rest,
          ...file,
          masked: masked + file.masked,
          upload,
          keep,
          ...(stepNumber === undefined ? {} : { stepNumber }),
        };
        this.#written.push(artifact);
        this.#options.sink.add(artifact);
        return artifact;
      } catch (thrown) {
        this.#options.log.error({ err: thrown, key: described.key }, 'an artifact could not be written');
        this.#problems.push(`${described.key}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
        return null;
      }
    });
    this.#tail = done;
    return done;
  }
}
