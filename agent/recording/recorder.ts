import { mkdir, rm } from 'node:fs/promises';
import { arch, availableParallelism, platform } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Locator, Page } from 'playwright';
import { messageOf } from '../base/errors.ts';
import { atLeast, type JsonObject } from '../base/words.ts';
import { ArtifactWriter, type Wanted } from './artifact-writer.ts';
import { CaptureQueue, type Capture } from './capture-queue.ts';
import { fitPicture, INFO_PICTURE_BYTES } from './fit-picture.ts';
import { FlightRecorder } from './flight-recorder.ts';
import type { ArtifactKind } from './levels.ts';
import { manifestSchema, type Manifest } from './manifest.ts';
import { MASK_ATTRIBUTE } from './masker.ts';
import { Masks } from './masks.ts';
import { ProblemRing } from './problem-ring.ts';
import { Screencast } from './screencast.ts';
import { takeScreenshot } from './screenshot.ts';
import { slug, stepKey } from './slug.ts';
import { isPassive, stepKinds } from './step-kinds.ts';
import { TraceRecorder } from './trace.ts';
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
import { encodeClip, VideoRecorder } from './video.ts';

/** JPEG quality of step pictures: small text stays legible. */
const PICTURE_QUALITY = 60;
/** Time within the page for leaving style rules out of HTML that nothing uses. */
const CSS_BUDGET_MS = 15;
const HTML_TYPE = 'text/html; charset=utf-8';
const MARK_TIMEOUT_MS = 30_000;

/**
 * Records one run at its level: pictures, HTML, trace, video, errors, data and the manifest. Everything is
 * redacted before it becomes an artifact; what neither the level nor the keep level wants is not captured.
 */
export class Recorder implements RunRecorder {
  readonly #options: RecorderOptions;
  readonly #writer: ArtifactWriter;
  readonly #captures: CaptureQueue;
  readonly #masks: Masks;
  readonly #screencast: Screencast;
  readonly #flight = new FlightRecorder();
  readonly #errors = new ProblemRing();
  readonly #steps: Manifest['steps'] = [];
  readonly #problems = new Set<string>();
  readonly #workDir: string;
  readonly #startedAt: number;
  readonly #startedMonotonic: number;
  #video: VideoRecorder | undefined;
  #trace: TraceRecorder | undefined;
  #step: RecordedStep | undefined;
  #pictured = false;
  #url = '';
  #failed = false;
  #videoFact: Manifest['video'];
  readonly #processes: Pick<RecorderOptions, 'processes'>;
  #unsubscribe: (() => void)[] = [];
  #context: BrowserContext | undefined;
  #page: Page | undefined;
  /** Somebody watches, or has watched: the pages are looked into whatever the level. */
  #watched: Promise<void> | undefined;
  /** There while a person acts. */
  #personDone: (() => Promise<void>) | undefined;

  constructor(options: RecorderOptions) {
    const { level, log, redactor, clock, runDir } = options;
    this.#options = options;
    this.#processes = options.processes ? { processes: options.processes } : {};
    this.#workDir = join(runDir, '.work');
    this.#startedAt = clock.now();
    this.#startedMonotonic = clock.monotonic();
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
    this.#masks = new Masks({
      redactor,
      log,
      onProblem: (problem) => this.#errors.add(problem, clock.now()),
      onNote: (note) => this.#problems.add(note),
      onChange: () => this.#screencast.forget(),
    });
    this.#videoFact = { recorded: false, reason: `level ${level.level} has no video` };
  }

  /** The one capture of the page in use. */
  get screencast(): Screencast {
    return this.#screencast;
  }

  /** The same for who watches: with masks in place also where nothing is recorded. */
  async watch(): Promise<Screencast> {
    if (this.#context && !this.#recordsAnything()) {
      this.#watched ??= this.#masks.attach(this.#context).then(() => this.#follow(this.#page!));
      await this.#watched;
    }
    return this.#screencast;
  }

  /** A capture of another page than the one in use, for who watches; null: the page is gone. To be closed. */
  async watchPage(page: Page): Promise<Screencast | null> {
    await this.watch();
    const probe = await this.#masks.probe(page);
    if (!probe) return null;
    const screencast = new Screencast({ log: this.#options.log });
    screencast.follow(probe);
    return screencast;
  }

  /**
   * A person acts in the page from now on: nothing of it is recorded, and what they type is left out of
   * everything that is recorded later. Returns a function to be called when they are done.
   */
  async personActs(): Promise<() => Promise<void>> {
    await this.watch();
    this.#screencast.keepPrivate(true);
    await this.#masks.typing(true);
    let ending: Promise<void> | undefined;
    const done = (): Promise<void> => (ending ??= this.#personEnds());
    this.#personDone = done;
    return done;
  }

  async #personEnds(): Promise<void> {
    await this.#masks.typing(false);
    this.#captures.acting();
    this.#screencast.keepPrivate(false);
    this.#personDone = undefined;
  }

  async attach(context: BrowserContext, page: Page): Promise<void> {
    this.#context = context;
    this.#page = page;
    if (!this.#recordsAnything()) return;
    await mkdir(this.#workDir, { recursive: true, mode: 0o700 });
    const wantsTrace = this.#wanted('trace');
    const [, trace] = await Promise.all([
      this.#masks.attach(context),
      wantsTrace ? this.#startTrace(context) : undefined,
      this.#follow(page),
    ]);
    this.#trace = trace;
    this.#url = page.url();
    if (this.#wanted('failure_video') && this.#options.ffmpeg !== null) {
      this.#unsubscribe.push(this.#screencast.subscribe(this.#flight));
    }
    if (!this.#wanted('video')) return;
    if (this.#options.ffmpeg === null) {
      this.#videoFact = { recorded: false, reason: NO_FFMPEG };
      return;
    }
    this.#video = new VideoRecorder({
      ffmpeg: this.#options.ffmpeg,
      output: this.#writer.pathOf('video.webm'),
      ...this.#processes,
    });
    this.#unsubscribe.push(this.#screencast.subscribe(this.#video));
  }

  async pageChanged(page: Page): Promise<void> {
    this.#page = page;
    if (!this.#recordsAnything() && !this.#watched) return;
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
    const kinds = stepKinds(step, url !== this.#url);
    this.#url = url;
    this.#steps.push(stepFacts(step, result));
    const base = stepKey(step);
    if (kinds.data && this.#wanted(kinds.data)) this.#writeJson(kinds.data, `${base}.json`, result, step);
    const wants = {
      picture: !this.#pictured && this.#wanted(kinds.picture),
      html: this.#wanted(kinds.html),
    };
    if (!wants.picture && !wants.html) return;
    const probe = page.isClosed() ? null : await this.#masks.probe(page);
    if (!probe) {
      this.#problems.add(`step ${step.stepNumber} has no picture: its page was closed`);
      return;
    }
    const capture = this.#captures.take(probe, wants);
    if (wants.picture) this.#writePicture(kinds.picture, `${base}.jpg`, capture, step.stepNumber);
    if (wants.html) this.#writeHtml(kinds.html, `${base}.html`, capture, step.stepNumber);
  }

  async screenshot(request: ScreenshotRequest): Promise<ScreenshotTaken> {
    const byLevel = this.#writer.wanted('screenshot', { failed: false });
    const upload = byLevel.upload && request.upload !== false;
    const wanted: Wanted = { upload, keep: byLevel.keep };
    const step = this.#step;
    const name = request.name?.replace(/\.(png|jpe?g|webp)$/i, '') ?? '';
    const stem = step
      ? stepKey({ ...step, name: name || step.name })
      : `steps/000-${slug(name, 'screenshot')}`;
    const reason = upload ? undefined : this.#whyNotUploaded(byLevel.upload);
    if (!wanted.upload && !wanted.keep) {
      const key = `${stem}.jpg`;
      return { path: null, key, contentType: 'image/jpeg', sizeBytes: 0, uploaded: false, reason: reason! };
    }
    const probe = await this.#masks.probe(request.page);
    if (!probe) throw new Error('the page was closed before its screenshot was taken');
    await this.#masks.applied();
    const taken = await takeScreenshot(probe, request, PICTURE_QUALITY);
    const data = taken.contentType === 'image/jpeg' ? await this.#fit(taken.data) : taken.data;
    const key = this.#writer.reserve(`${stem}.${taken.contentType === 'image/png' ? 'png' : 'jpg'}`);
    this.#pictured = true;
    const described = {
      kind: 'screenshot' as const,
      key,
      contentType: taken.contentType,
      wanted,
      masked: taken.masked,
      ...(step ? { stepNumber: step.stepNumber } : {}),
    };
    const written = this.#writer.write(described, () => ({ data }));
    void written;
    return {
      path: this.#writer.pathOf(key),
      key,
      contentType: taken.contentType,
      sizeBytes: data.length,
      uploaded: upload,
      ...(reason === undefined ? {} : { reason }),
      ...(request.includeData && upload ? { data } : {}),
    };
  }

  async addFile(request: AddFileRequest): Promise<NewArtifact | null> {
    const wanted = this.#writer.wanted(request.kind, { failed: false });
    if (!wanted.upload && !wanted.keep) return null;
    const dot = request.name.lastIndexOf('.');
    const extension = dot > 0 ? slug(request.name.slice(dot + 1), 'bin') : 'bin';
    const stem = slug(dot > 0 ? request.name.slice(0, dot) : request.name, 'file');
    const prefix = String(this.#step?.stepNumber ?? 0).padStart(3, '0');
    const key = this.#writer.reserve(`files/${prefix}-${stem}.${extension}`);
    return this.#writer.adopt(
      {
        kind: request.kind,
        key,
        contentType: request.contentType,
        wanted,
        ...(this.#step ? { stepNumber: this.#step.stepNumber } : {}),
      },
      request.path,
    );
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
    // Whoever comes to watch later does not see it either: its value is hidden wherever it stands.
    return this.#recordsAnything() || this.#watched ? MASK_ATTRIBUTE : null;
  }

  async masked(): Promise<void> {
    await this.#masks.applied();
  }

  async failure(error: { name: string; message: string }, page: Page | null): Promise<void> {
    if (!this.#recordsAnything() || this.#failed) return;
    this.#failed = true;
    await this.#personDone?.();
    const nowMs = Date.now();
    const wants = {
      picture: this.#wanted('failure_screenshot'),
      html: this.#wanted('failure_html'),
    };
    if (!wants.picture && !wants.html) return;
    await this.#captures.idle();
    const probe = page && !page.isClosed() ? await this.#masks.probe(page) : null;
    if (probe) {
      const capture = await this.#captures.takeOrReuse(probe, wants);
      if (capture.jpeg) this.#writePicture('failure_screenshot', 'failure/screenshot.jpg', capture);
      else this.#lastFrameAsPicture(capture.problem ?? 'the page could not be drawn');
      if (capture.html) this.#writeHtml('failure_html', 'failure/page.html', capture);
    } else {
      this.#lastFrameAsPicture('the page was gone');
    }
    this.#writeJson('failure_errors', 'failure/errors.json', {
      error,
      url: this.#url,
      step: this.#step ? { step_number: this.#step.stepNumber, name: this.#step.name } : null,
      problems_total: this.#errors.total,
      problems: this.#errors.list().map((problem) => ({ ...problem })),
    });
    await this.#writeFlight(nowMs);
  }

  async finish(
    outcome: RecordedOutcome,
    page: Page | null,
    onReleased: () => void = () => {},
  ): Promise<RecordingSummary> {
    await this.#personDone?.();
    const failed = this.#failed || outcome.state === 'failed';
    const endedAt = this.#options.clock.now();
    if (this.#recordsAnything()) {
      const traced = this.#stopTrace();
      await this.#captures.idle();
      if (!failed && outcome.state === 'succeeded') await this.#final(page);
      for (const off of this.#unsubscribe.splice(0)) off();
      this.#screencast.close();
      const filmed = this.#finishVideo(Date.now());
      await traced;
      onReleased();
      if (outcome.data && Object.keys(outcome.data).length > 0 && this.#wanted('data')) {
        this.#writeJson('data', 'final/data.json', outcome.data);
      }
      await Promise.all([filmed, this.#masks.close(this.#options.keepsPages)]);
      await this.#writer.drain();
    } else if (this.#watched) {
      this.#screencast.close();
      await this.#masks.close(this.#options.keepsPages);
    }
    const manifest = await this.#writeManifest(outcome, failed, endedAt);
    await rm(this.#workDir, { recursive: true, force: true });
    this.#flight.clear();
    const written = this.#writer.written;
    const uploads = written.filter((artifact) => artifact.upload);
    const kept = written.filter((artifact) => artifact.keep);
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

  #recordsAnything(): boolean {
    return [this.#options.level.level, this.#options.keepLevel].some((level) => atLeast(level, 'ERROR'));
  }

  /** Up to INFO what is stored is to be small; above it, what is captured is to be cheap. */
  #isSmall(): boolean {
    return ![this.#options.level.level, this.#options.keepLevel].some((level) => atLeast(level, 'DEBUG'));
  }

  /** By either level; failures are foreseen. */
  #wanted(kind: ArtifactKind): boolean {
    const { upload, keep } = this.#writer.wanted(kind, { failed: true });
    return upload || keep;
  }

  async #follow(page: Page): Promise<void> {
    this.#screencast.follow(await this.#masks.probe(page));
  }

  async #startTrace(context: BrowserContext): Promise<TraceRecorder | undefined> {
    try {
      return await TraceRecorder.start(context, {
        workDir: this.#workDir,
        title: this.#options.facts.scriptName,
      });
    } catch (thrown) {
      this.#problems.add(`no trace: ${messageOf(thrown)}`);
      return undefined;
    }
  }

  #writePicture(
    kind: ArtifactKind,
    key: string,
    capture: Promise<Capture> | Capture,
    stepNumber?: number,
  ): void {
    this.#write(kind, key, 'image/jpeg', stepNumber, async () => {
      const { jpeg, masked, problem } = await capture;
      if (!jpeg) throw new Error(problem ?? 'the page could not be drawn');
      return { data: await this.#fit(jpeg), masked };
    });
  }

  #writeHtml(
    kind: ArtifactKind,
    key: string,
    capture: Promise<Capture> | Capture,
    stepNumber?: number,
  ): void {
    this.#write(kind, key, HTML_TYPE, stepNumber, async () => {
      const { html, problem } = await capture;
      if (!html) throw new Error(problem ?? 'the page did not answer');
      const { text, masked } = this.#options.redactor.redactEvidence(html.html);
      return { data: Buffer.from(text), masked: masked + html.masked };
    });
  }

  #writeJson(kind: ArtifactKind, key: string, value: JsonObject, step?: RecordedStep): void {
    this.#write(kind, key, 'application/json', step?.stepNumber, () => {
      // What a script extracts is what it was asked for; the rest is what was seen on the way.
      const isEvidence = kind === 'failure_errors';
      const redacted = this.#options.redactor.redactJsonCounted(value, { isEvidence });
      return { data: Buffer.from(`${JSON.stringify(redacted.value, null, 2)}\n`), masked: redacted.masked };
    });
  }

  #write(
    kind: ArtifactKind,
    key: string,
    contentType: string,
    stepNumber: number | undefined,
    make: Parameters<ArtifactWriter['write']>[1],
  ): void {
    const described = {
      kind,
      key: this.#writer.reserve(key),
      contentType,
      ...(stepNumber === undefined ? {} : { stepNumber }),
    };
    // A failure to write is among the writer's problems.
    void this.#writer.write(described, make);
  }

  /** INFO promises to be small; above it, what was captured is kept as it is. */
  #fit(jpeg: Buffer): Promise<Buffer> {
    if (!this.#isSmall()) return Promise.resolve(jpeg);
    const { ffmpeg } = this.#options;
    return fitPicture(jpeg, { ffmpeg, maxBytes: INFO_PICTURE_BYTES, ...this.#processes });
  }

  #lastFrameAsPicture(why: string): void {
    const frame = this.#screencast.last;
    if (!frame) {
      this.#problems.add(`no picture of the failure: ${why}`);
      return;
    }
    const ageMs = Math.round(Date.now() - frame.wallTimeMs);
    this.#problems.add(`the picture of the failure is the last frame, ${ageMs} ms older, because ${why}`);
    this.#write('failure_screenshot', 'failure/screenshot.jpg', 'image/jpeg', undefined, () => ({
      data: frame.jpeg,
    }));
  }

  async #writeFlight(nowMs: number): Promise<void> {
    if (!this.#wanted('failure_video')) return;
    const { ffmpeg } = this.#options;
    if (ffmpeg === null) {
      this.#problems.add(`no video of the last seconds: ${NO_FFMPEG}`);
      return;
    }
    const key = this.#writer.reserve('failure/last-30s.webm');
    const output = this.#writer.pathOf(key);
    const frames = this.#flight.window(nowMs);
    const clip = await encodeClip(frames, nowMs, { ffmpeg, output, ...this.#processes });
    if (!clip.ok) {
      this.#problems.add(`no video of the last seconds: ${clip.reason}`);
      return;
    }
    void this.#writer.adopt({ kind: 'failure_video', key, contentType: 'video/webm' }, output);
  }

  async #final(page: Page | null): Promise<void> {
    const wants = { picture: this.#wanted('final_screenshot'), html: this.#wanted('final_html') };
    if (!wants.picture && !wants.html) return;
    const probe = page && !page.isClosed() ? await this.#masks.probe(page) : null;
    if (!probe) {
      this.#problems.add('no picture of the final page: it was closed');
      return;
    }
    const capture = await this.#captures.takeOrReuse(probe, wants);
    if (wants.picture) this.#writePicture('final_screenshot', 'final/screenshot.jpg', capture);
    if (wants.html) this.#writeHtml('final_html', 'final/page.html', capture);
  }

  async #finishVideo(lastSeenMs: number): Promise<void> {
    const video = this.#video;
    if (!video) return;
    const result = await video.finish(lastSeenMs);
    if (!result.ok) {
      this.#videoFact = { recorded: false, reason: result.reason };
      await rm(this.#writer.pathOf('video.webm'), { force: true });
      return;
    }
    this.#videoFact = { recorded: true };
    if (result.droppedFrames > 0) {
      this.#problems.add(`the video lacks ${result.droppedFrames} frames: the machine was too busy`);
    }
    const key = this.#writer.reserve('video.webm');
    void this.#writer.adopt({ kind: 'video', key, contentType: 'video/webm' }, this.#writer.pathOf(key));
  }

  async #stopTrace(): Promise<void> {
    const trace = this.#trace;
    if (!trace) return;
    try {
      await trace.stop();
    } catch (thrown) {
      this.#problems.add(`no trace: ${messageOf(thrown)}`);
      return;
    }
    this.#write('trace', 'trace.zip', 'application/zip', undefined, async () => {
      const redacted = await trace.redacted(this.#options.redactor, this.#options.level.level);
      if (redacted.droppedFiles > 0) {
        this.#problems.add(`the trace lacks ${redacted.droppedFiles} large resources of its pages`);
      }
      return { data: Buffer.from(redacted.zip), masked: redacted.masked };
    });
  }

  async #writeManifest(
    outcome: RecordedOutcome,
    failed: boolean,
    endedAt: number,
  ): Promise<NewArtifact | null> {
    const wanted = this.#writer.wanted('manifest', { failed });
    if (!wanted.upload && !wanted.keep) return null;
    const manifest = this.#manifest(outcome, endedAt);
    const key = this.#writer.reserve('manifest.json');
    const described = { kind: 'manifest' as const, key, contentType: 'application/json', wanted };
    return this.#writer.write(described, () => {
      const { value } = this.#options.redactor.redactJsonCounted(manifest as unknown as JsonObject, {
        isEvidence: true,
      });
      const text = `${JSON.stringify(value, null, 2)}\n`;
      return { data: Buffer.from(text) };
    });
  }

  #manifest(outcome: RecordedOutcome, endedAt: number): Manifest {
    const { runId, facts, level, keepLevel, clock, redactor } = this.#options;
    const artifacts = this.#writer.written;
    return manifestSchema.parse({
      version: 1,
      run: {
        run_id: runId,
        task_id: facts.taskId,
        script_name: facts.scriptName,
        agent: facts.agent,
        environment: facts.environment,
        profile: facts.profile,
        state: outcome.state,
        error: outcome.error,
        started_at: new Date(this.#startedAt).toISOString(),
        ended_at: new Date(endedAt).toISOString(),
        duration_ms: Math.max(0, Math.round(clock.monotonic() - this.#startedMonotonic)),
      },
      recording: { level: level.level, reason: level.reason, keep_level: keepLevel },
      steps: this.#steps.map((step) => ({
        ...step,
        artifacts: artifacts
          .filter(({ stepNumber }) => stepNumber === step.step_number)
          .map(({ key }) => key),
      })),
      artifacts: artifacts.map((artifact) => ({
        kind: artifact.kind,
        key: artifact.key,
        content_type: artifact.contentType,
        size_bytes: artifact.sizeBytes,
        sha256: artifact.sha256,
        masked: artifact.masked,
        step_number: artifact.stepNumber,
        uploaded: artifact.upload,
      })),
      masked: {
        values: redactor.count,
        fields: sum(artifacts.map(({ masked }) => masked)),
        frames_dropped: this.#screencast.stats.dropped,
      },
      video: this.#videoFact,
      problems: this.#allProblems(),
      machine: {
        platform: platform(),
        arch: arch(),
        node: process.version,
        cores: availableParallelism(),
      },
      browser: facts.browser,
      more: facts.more,
    });
  }

  #allProblems(): string[] {
    const video = this.#wanted('video') && !this.#videoFact.recorded ? this.#videoFact.reason : undefined;
    return [
      ...this.#problems,
      ...(video === undefined ? [] : [`no video: ${video}`]),
      ...this.#writer.problems,
    ].map((problem) => this.#options.redactor.redactText(problem));
  }

  #whyNotUploaded(byLevel: boolean): string {
    if (byLevel) return 'the step says upload_to_s3: false';
    const { level, reason } = this.#options.level;
    return `recording level ${level} (${reason}) keeps screenshots on this machine`;
  }
}

const NO_FFMPEG = 'no ffmpeg was found on this machine (see doctor)';

function stepFacts(step: RecordedStep, result: JsonObject & { success: boolean }): Manifest['steps'][number] {
  const { error, url, duration_ms: durationMs } = result;
  const isError = typeof error === 'object' && error !== null && !Array.isArray(error);
  return {
    step_number: step.stepNumber,
    name: step.name,
    action: step.action,
    success: result.success,
    ...(typeof durationMs === 'number' ? { duration_ms: durationMs } : {}),
    ...(typeof url === 'string' ? { url } : {}),
    ...(isError ? { error: { name: asText(error['name']), message: asText(error['message']) } } : {}),
    artifacts: [],
  };
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/* v8 ignore start -- @preserve runs in the browser */
/**
 * In the page's own world, which is told nothing but which element. Whatever is not a text field is blacked
 * out by the masker, which sees the attribute.
 */
function markElement(element: Element, attribute: string): void {
  const control = element instanceof HTMLLabelElement ? (element.control ?? element) : element;
  (control as HTMLElement).style.setProperty('-webkit-text-security', 'disc', 'important');
  control.setAttribute(attribute, '');
}
/* v8 ignore stop -- @preserve */
