import type { JsonObject } from '../base/words.ts';
import { ArtifactRepository, type ArtifactRow, type NewArtifactRow } from './artifacts.ts';
import type { Database } from './database.ts';
import { RunRepository } from './run-rows.ts';
import { StepJournal, type NewStep, type StepEnd, type StepRow } from './step-journal.ts';

/**
 * Runs with everything that belongs to them: row, steps and artifacts, each by its own repository. For code that
 * deals with a run as a whole; code that needs one of the three takes that type.
 */
export class RunStore
  extends RunRepository
  implements Pick<StepJournal, keyof StepJournal>, Pick<ArtifactRepository, keyof ArtifactRepository>
{
  readonly #journal: StepJournal;
  readonly #artifacts: ArtifactRepository;

  constructor(db: Database) {
    super(db);
    this.#journal = new StepJournal(db);
    this.#artifacts = new ArtifactRepository(db);
  }

  stepIntent(runId: string, step: NewStep): void {
    this.#journal.stepIntent(runId, step);
  }

  stepDone(runId: string, step: StepEnd): void {
    this.#journal.stepDone(runId, step);
  }

  steps(runId: string): StepRow[] {
    return this.#journal.steps(runId);
  }

  stepResults(runId: string): Map<number, JsonObject> {
    return this.#journal.stepResults(runId);
  }

  lastStep(runId: string): StepRow | undefined {
    return this.#journal.lastStep(runId);
  }

  lastSteps(runId: string): ReturnType<StepJournal['lastSteps']> {
    return this.#journal.lastSteps(runId);
  }

  addArtifact(runId: string, artifact: NewArtifactRow): void {
    this.#artifacts.addArtifact(runId, artifact);
  }

  artifacts(runId: string): ArtifactRow[] {
    return this.#artifacts.artifacts(runId);
  }

  artifact(runId: string, artifactId: number): ArtifactRow | undefined {
    return this.#artifacts.artifact(runId, artifactId);
  }
}
