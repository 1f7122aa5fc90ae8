/** The files of each run: where they are, what they hold, and whether they leave this machine. */
import { z } from 'zod';
import { unhurried, type Database } from './database.ts';

const artifactRow = z.object({
  artifact_id: z.number(),
  kind: z.string(),
  key: z.string(),
  path: z.string(),
  content_type: z.string(),
  size_bytes: z.number(),
  sha256: z.string(),
  upload: z.number(),
  keep: z.number(),
  masked: z.number(),
  step_number: z.number().nullable(),
});

export type ArtifactRow = z.infer<typeof artifactRow>;

/** A file that was written, as its run knows it. */
export interface NewArtifactRow {
  kind: string;
  key: string;
  path: string;
  contentType: string;
  sizeBytes: number;
  sha256: string;
  upload: boolean;
  keep: boolean;
  masked: number;
  stepNumber?: number;
  now: number;
}

const ARTIFACT_COLUMNS =
  'artifact_id, kind, key, path, content_type, size_bytes, sha256, upload, keep, masked, step_number';

export class ArtifactRepository {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** A power failure may lose the row, as it may lose the file, which is not forced to disk either. */
  addArtifact(runId: string, artifact: NewArtifactRow): void {
    const statement = this.#db.prepare(
      `INSERT INTO artifacts (run_id, kind, key, path, content_type, size_bytes, sha256, upload, keep, masked, step_number, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    unhurried(this.#db, () =>
      statement.run(
        runId,
        artifact.kind,
        artifact.key,
        artifact.path,
        artifact.contentType,
        artifact.sizeBytes,
        artifact.sha256,
        artifact.upload ? 1 : 0,
        artifact.keep ? 1 : 0,
        artifact.masked,
        artifact.stepNumber ?? null,
        artifact.now,
      ),
    );
  }

  artifacts(runId: string): ArtifactRow[] {
    return this.#db
      .prepare(`SELECT ${ARTIFACT_COLUMNS} FROM artifacts WHERE run_id = ? ORDER BY artifact_id`)
      .all(runId)
      .map((row) => artifactRow.parse(row));
  }

  artifact(runId: string, artifactId: number): ArtifactRow | undefined {
    const row = this.#db
      .prepare(`SELECT ${ARTIFACT_COLUMNS} FROM artifacts WHERE run_id = ? AND artifact_id = ?`)
      .get(runId, artifactId);
    return row === undefined ? undefined : artifactRow.parse(row);
  }
}
