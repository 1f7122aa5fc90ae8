import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrowserContext, Locator, Page } from 'playwright';
import { messageOf } from '../base/errors.ts';
import { atLeast, type JsonObject } from '../base/words.ts';
import { ARTIFACTS, type ArtifactKind } from './artifact-kinds.ts';
import { ArtifactWriter } from './artifact-writer.ts';
import { CaptureQueue } from './capture-queue.ts';
import type { CaptureSource, CaptureTools, RunEnd } from './capture-source.ts';
import { EvidenceFiles } from './evidence-files.ts';
import { markElement } from './mark-element.ts';
import { Masks } from './masks.ts';
import { MASK_ATTRIBUTE } from './page/contract.ts';
import { ProblemRing } from './problem-ring.ts';
import { RequestedFiles } from './requested-files.ts';
import { RunManifest } from './run-manifest.ts';
import { Screencast } from './screencast.ts';
import { createSources } from './sources/index.ts';
import { isPassive } from './step-kinds.ts';
import type {
  AddFileRequest,
  NewArtifact,
  RecordedOutcome,
  RecordedStep,
  RecorderOptions,
  RecordingSummary,
  RunRecorder,
  ScreenshotRequest,
  ScreenshotTaken,
} from './types.ts';
import { Viewers } from './viewers.ts';

/** JPEG quality of step pictures: small text stays legible. */
const PICTURE_QUALITY = 60;
/** Time within the page for leaving unused style rules out of HTML (ms). */
const CSS_BUDGET_MS = 15;
/** Time that a field to be hidden may take to appear (ms). */
const MARK_TIMEOUT_MS = 30_000;

/**
 * Records one run at its level. Everything is redacted before it becomes an artifact; nothing is captured that
 * neither the level nor the keep level wants. Conducts the sources of `sources/`:
 *
 * | moment | what runs, in order | in parallel with | limit |
 * |---|---|---|---|
 * | attach | 1. masks in all pages, `start` of all sources, the page in use | each other | 5 s per page (`SCRIPT_TIMEOUT_MS`) |
 * | | 2. `frames` sources subscribe to the screencast | | |
 * | step starts | nothing | | |
 * | before acting | pictures of earlier steps are complete, masks are in place; a passive step does not wait | each other | 10 s per picture (`CAPTURE_TIMEOUT_MS`) |
 * | step ends | `step` of each source; pictures and files are made in the background | the next steps until one acts | none: returns at once |
 * | failure | 1. input of a person ends, pending pictures complete | | 10 s per picture |
 * | | 2. `failure` of each source, one after the other: the page first, then the video of the last seconds | | 20 s per attempt, 2 attempts (`CLIP_TIMEOUT_MS`) |
 * | finish | 1. `stop` of `browser` sources | 2 to 4 | none: Playwright's own |
 * | | 2. pending pictures complete, then `stop` of `page` sources (the final page) | 1 | 10 s per picture |
 * | | 3. frames end, then `stop` of `frames` sources | 1, 4, 5 | 60 s (`FINISH_TIMEOUT_MS`) |
 * | | 4. after 1 and 2: `onReleased`, the browser may close; `artifacts` of the sources | 3 | |
 * | | 5. masks leave the pages that stay open | 3, 4 | 5 s per script |
 * | | 6. all files are on disk, then the manifest | | |
 */
export class Recorder implements RunRecorder {
  readonly #options: RecorderOptions;
  readonly #writer: ArtifactWriter;
  readonly #captures: CaptureQueue;
  readonly #masks: Masks;
  readonly #screencast: Screencast;
  readonly #viewers: Viewers;
  readonly #requested: RequestedFiles;
  /** Those that a level wants. */
  readonly #sources: readonly CaptureSource[];
  readonly #manifest: RunManifest;
  readonly #problems = new Set<string>();
  /** Why a source has no files, by its name. */
  readonly #missing = new Map<string, string>();
  readonly #workDir: string;
  #step: RecordedStep | undefined;
  #pictured = false;
  #url = '';
  #failed = false;
  #unsubscribe: (() => void)[] = [];

  /** `sources`: in the order in which they are called at each moment. */
  constructor(options: RecorderOptions, sources: (tools: CaptureTools) => CaptureSource[] = createSources) {
    const { level, log, redactor, clock, runDir, ffmpeg } = options;
    this.#options = options;
    this.#workDir = join(runDir, '.work');
    this.#manifest = new RunManifest(options);
    this.#writer = new ArtifactWriter({ ...options, level: level.level });
    this.#screencast = new Screencast({ log });
    this.#captures = new CaptureQueue({
      quality: PICTURE_QUALITY,
      cssBudgetMs: this.#isSmall() ? CSS_BUDGET_MS : 0,
      log,
      onPicture: (jpeg, wallTimeMs) => {
        this.#screencast.offer({ jpeg, wallTimeMs, monotonicMs: clock.monotonic() });
      },
    });
    const errors = new ProblemRing();
    this.#masks = new Masks({
      redactor,
      log,
      onProblem: (problem) => errors.add(problem, clock.now()),
      onNote: (note) => this.#problems.add(note),
      onChange: () => this.#screencast.forget(),
    });
    this.#viewers = new Viewers({
      screencast: this.#screencast,
      masks: this.#masks,
      captures: this.#captures,
      log,
      hasMasks: this.#recordsAnything(),
    });
    const processes = options.processes ? { processes: options.processes } : {};
    const files = new EvidenceFiles({
      writer: this.#writer,
      redactor,
      ffmpeg,
      isSmall: this.#isSmall(),
      ...processes,
    });
    this.#requested = new RequestedFiles({
      level,
      writer: this.#writer,
      files,
      masks: this.#masks,
      quality: PICTURE_QUALITY,
    });
    const tools: CaptureTools = {
      level: level.level,
      title: options.facts.scriptName,
      workDir: this.#workDir,
      ffmpeg,
      ...processes,
      redactor,
      files,
      captures: this.#captures,
      errors,
      wanted: (kind) => this.#wanted(kind),
      probe: async (page) => (page && !page.isClosed() ? this.#masks.probe(page) : null),
      lastFrame: () => this.#screencast.last,
      problem: (text) => void this.#problems.add(text),
    };
    this.#sources = sources(tools).filter(({ kinds }) => kinds.some((kind) => this.#wanted(kind)));
  }

  /** The one capture of the page in use. */
  get screencast(): Screencast {
    return this.#screencast;
  }

  /** The screencast for live viewers. */
  watch(): Promise<Screencast> {
    return this.#viewers.watch();
  }

  /** See {@link Viewers.watchPage}. */
  watchPage(page: Page): Promise<Screencast | null> {
    return this.#viewers.watchPage(page);
  }

  /** See {@link Viewers.personActs}. */
  personActs(): Promise<() => Promise<void>> {
    return this.#viewers.personActs();
  }

  async attach(context: BrowserContext, page: Page): Promise<void> {
    this.#viewers.attach(context, page);
    if (!this.#recordsAnything()) return;
    await mkdir(this.#workDir, { recursive: true, mode: 0o700 });
    await Promise.all([
      this.#masks.attach(context),
      this.#inParallel(this.#sources, (source) => source.start?.(context)),
      this.#follow(page),
    ]);
    this.#url = page.url();
    await this.#inOrder((source) => {
      const subscriber = source.frames?.();
      if (subscriber) this.#unsubscribe.push(this.#screencast.subscribe(subscriber));
    });
  }

  async pageChanged(page: Page): Promise<void> {
    this.#viewers.pageChanged(page);
    if (!this.#recordsAnything() && !this.#viewers.have) return;
    await this.#follow(page);
    this.#captures.acting();
  }

  stepStarted(step: RecordedStep): void {
    this.#step = step;
    this.#pictured = false;
  }

  async beforeActing(): Promise<void> {
    if (!this.#recordsAnything() || (this.#step && isPassive(this.#step))) return;
    await Promise.all([this.#captures.idle(), this.#masks.applied()]);
    this.#captures.acting();
  }

  async stepFinished(
    step: RecordedStep,
    result: JsonObject & { success: boolean },
    page: Page,
  ): Promise<void> {
    if (!this.#recordsAnything()) return;
    const url = page.isClosed() ? this.#url : page.url();
    const moment = { step, result, page, navigated: url !== this.#url, pictured: this.#pictured };
    this.#url = url;
    this.#manifest.step(step, result);
    await this.#inOrder((source) => source.step?.(moment));
  }

  async screenshot(request: ScreenshotRequest): Promise<ScreenshotTaken> {
    const taken = await this.#requested.screenshot(request, this.#step);
    if (taken.path !== null) this.#pictured = true;
    return taken;
  }

  addFile(request: AddFileRequest): Promise<NewArtifact | null> {
    return this.#requested.add(request, this.#step);
  }

  maskValue(value: string): void {
    this.#options.redactor.add(value);
  }

  async markSensitive(locator: Locator, options: { timeoutMs?: number } = {}): Promise<void> {
    if (this.mark === null) return;
    await locator.evaluate(markElement, this.mark, { timeout: options.timeoutMs ?? MARK_TIMEOUT_MS });
    await this.masked();
  }

  get mark(): string | null {
    // Later viewers do not see the field either: its value is hidden wherever the page shows it.
    return this.#recordsAnything() || this.#viewers.have ? MASK_ATTRIBUTE : null;
  }

  async masked(): Promise<void> {
    await this.#masks.applied();
  }

  async failure(error: { name: string; message: string }, page: Page | null): Promise<void> {
    if (!this.#recordsAnything() || this.#failed) return;
    this.#failed = true;
    await this.#viewers.personEnds();
    const moment = { error, page, step: this.#step, url: this.#url, wallTimeMs: Date.now() };
    await this.#captures.idle();
    await this.#inOrder((source) => source.failure?.(moment));
  }

  async finish(
    outcome: RecordedOutcome,
    page: Page | null,
    onReleased: () => void = () => {},
  ): Promise<RecordingSummary> {
    await this.#viewers.personEnds();
    const endedAt = this.#options.clock.now();
    const succeeded = !this.#failed && outcome.state === 'succeeded';
    if (this.#recordsAnything()) {
      await this.#stop({ outcome, succeeded, page }, onReleased);
    } else if (this.#viewers.have) {
      this.#screencast.close();
      await this.#masks.close(this.#options.keepsPages);
    }
    const manifest = await this.#writeManifest(outcome, endedAt);
    await rm(this.#workDir, { recursive: true, force: true });
    return this.#summary(manifest);
  }

  /** The order is in the table above. */
  async #stop(end: RunEnd, onReleased: () => void): Promise<void> {
    const browser = this.#reading('browser');
    const pages = this.#reading('page');
    const frames = this.#reading('frames');
    const stopOf = (source: CaptureSource): Promise<void> | void => source.stop?.(end);
    const filesOf = (source: CaptureSource): void => source.artifacts?.(end);
    const released = this.#inParallel(browser, stopOf);
    await this.#captures.idle();
    await this.#inParallel(pages, stopOf);
    for (const off of this.#unsubscribe.splice(0)) off();
    this.#screencast.close();
    const encoded = this.#inParallel(frames, stopOf);
    await released;
    onReleased();
    await this.#inParallel([...browser, ...pages], filesOf);
    await Promise.all([encoded, this.#masks.close(this.#options.keepsPages)]);
    await this.#inParallel(frames, filesOf);
    await this.#writer.drain();
  }

  #reading(what: CaptureSource['reads']): CaptureSource[] {
    return this.#sources.filter(({ reads }) => reads === what);
  }

  async #inParallel(
    sources: readonly CaptureSource[],
    work: (source: CaptureSource) => Promise<void> | void,
  ): Promise<void> {
    await Promise.all(sources.map((source) => this.#guard(source, work)));
  }

  async #inOrder(work: (source: CaptureSource) => Promise<void> | void): Promise<void> {
    for (const source of this.#sources) await this.#guard(source, work);
  }

  /** One kind of evidence that cannot be had costs neither the run nor the other kinds. */
  async #guard(source: CaptureSource, work: (source: CaptureSource) => Promise<void> | void): Promise<void> {
    try {
      await work(source);
    } catch (thrown) {
      if (!this.#missing.has(source.name)) this.#missing.set(source.name, messageOf(thrown));
    }
  }

  #recordsAnything(): boolean {
    return [this.#options.level.level, this.#options.keepLevel].some((level) => atLeast(level, 'ERROR'));
  }

  /** Up to INFO evidence must be small to store; above it, cheap to capture. */
  #isSmall(): boolean {
    return ![this.#options.level.level, this.#options.keepLevel].some((level) => atLeast(level, 'DEBUG'));
  }

  /** By either level, and assuming that the run fails. */
  #wanted(kind: ArtifactKind): boolean {
    const { upload, keep } = this.#writer.wanted(kind, { failed: true });
    return upload || keep;
  }

  async #follow(page: Page): Promise<void> {
    this.#screencast.follow(await this.#masks.probe(page));
  }

  async #writeManifest(outcome: RecordedOutcome, endedAt: number): Promise<NewArtifact | null> {
    const failed = this.#failed || outcome.state === 'failed';
    const wanted = this.#writer.wanted('manifest', { failed });
    if (!wanted.upload && !wanted.keep) return null;
    const { redactor } = this.#options;
    const manifest = this.#manifest.build({
      outcome,
      endedAt,
      artifacts: this.#writer.written,
      maskedValues: redactor.count,
      framesDropped: this.#screencast.stats.dropped,
      problems: this.#allProblems(),
      noVideo: this.#missing.get('video'),
    });
    const [[file, contentType]] = Object.entries(ARTIFACTS.manifest.files) as [[string, string]];
    const described = { kind: 'manifest' as const, key: this.#writer.reserve(file), contentType, wanted };
    return this.#writer.write(described, () => {
      const { value } = redactor.redactJsonCounted(manifest as unknown as JsonObject, { isEvidence: true });
      return { data: Buffer.from(`${JSON.stringify(value, null, 2)}\n`) };
    });
  }

  #allProblems(): string[] {
    const { redactor } = this.#options;
    const missing = [...this.#missing].map(([name, reason]) => `no ${name}: ${reason}`);
    return [...this.#problems, ...missing, ...this.#writer.problems].map((problem) =>
      redactor.redactText(problem),
    );
  }

  #summary(manifest: NewArtifact | null): RecordingSummary {
    const { written } = this.#writer;
    const uploads = written.filter(({ upload }) => upload);
    const kept = written.filter(({ keep }) => keep);
    return {
      files: uploads.length,
      bytes: sum(uploads.map(({ sizeBytes }) => sizeBytes)),
      keptFiles: kept.length,
      keptBytes: sum(kept.map(({ sizeBytes }) => sizeBytes)),
      masked: sum(written.map(({ masked }) => masked)),
      problems: this.#allProblems(),
      ...(manifest ? { manifest } : {}),
    };
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
