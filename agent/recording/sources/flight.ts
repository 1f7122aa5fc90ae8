import { NO_FFMPEG, type CaptureSource, type CaptureTools, type FailureMoment } from '../capture-source.ts';
import { FlightRecorder } from '../flight-recorder.ts';
import { encodeClip } from '../video.ts';

/** The last 30 seconds as video; encoded only when the run fails. */
export class Flight implements CaptureSource {
  readonly name = 'video of the last seconds';
  readonly kinds = ['failure_video'] as const;
  readonly reads = 'frames';
  readonly #tools: CaptureTools;
  readonly #recorder = new FlightRecorder();

  constructor(tools: CaptureTools) {
    this.#tools = tools;
  }

  frames(): FlightRecorder | null {
    return this.#tools.ffmpeg === null ? null : this.#recorder;
  }

  async failure({ wallTimeMs }: FailureMoment): Promise<void> {
    const { files, ffmpeg, processes } = this.#tools;
    if (ffmpeg === null) throw new Error(NO_FFMPEG);
    const { path, adopt } = files.reserve('failure_video', 'failure/last-30s.webm');
    const clip = await encodeClip(this.#recorder.window(wallTimeMs), wallTimeMs, {
      ffmpeg,
      output: path,
      ...(processes ? { processes } : {}),
    });
    if (!clip.ok) throw new Error(clip.reason);
    adopt();
  }

  stop(): void {
    this.#recorder.clear();
  }
}
