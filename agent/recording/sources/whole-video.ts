import { rm } from 'node:fs/promises';
import { NO_FFMPEG, type CaptureSource, type CaptureTools } from '../capture-source.ts';
import { VideoRecorder } from '../video.ts';

/** The whole run as one video. */
export class WholeVideo implements CaptureSource {
  readonly name = 'video';
  readonly kinds = ['video'] as const;
  readonly reads = 'frames';
  readonly #tools: CaptureTools;
  #recorder: VideoRecorder | undefined;
  #file: { path: string; adopt: () => void } | undefined;
  #isComplete = false;

  constructor(tools: CaptureTools) {
    this.#tools = tools;
  }

  frames(): VideoRecorder {
    const { ffmpeg, files, processes } = this.#tools;
    if (ffmpeg === null) throw new Error(NO_FFMPEG);
    this.#file = files.reserve('video', 'video.webm');
    this.#recorder = new VideoRecorder({
      ffmpeg,
      output: this.#file.path,
      ...(processes ? { processes } : {}),
    });
    return this.#recorder;
  }

  async stop(): Promise<void> {
    if (!this.#recorder || !this.#file) return;
    const result = await this.#recorder.finish(Date.now());
    if (!result.ok) {
      await rm(this.#file.path, { force: true });
      throw new Error(result.reason);
    }
    this.#isComplete = true;
    if (result.droppedFrames > 0) {
      this.#tools.problem(`the video lacks ${result.droppedFrames} frames: the machine was too busy`);
    }
  }

  artifacts(): void {
    if (this.#isComplete) this.#file?.adopt();
  }
}
