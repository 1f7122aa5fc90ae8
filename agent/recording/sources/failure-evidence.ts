import type { CaptureSource, CaptureTools, FailureMoment } from '../capture-source.ts';

/** The page at the moment of the failure, and the errors before it. */
export class FailureEvidence implements CaptureSource {
  readonly name = 'evidence of the failure';
  readonly kinds = ['failure_screenshot', 'failure_html', 'failure_errors'] as const;
  readonly reads = 'page';
  readonly #tools: CaptureTools;

  constructor(tools: CaptureTools) {
    this.#tools = tools;
  }

  async failure(moment: FailureMoment): Promise<void> {
    await this.#page(moment);
    if (this.#tools.wanted('failure_errors')) this.#errors(moment);
  }

  async #page({ page }: FailureMoment): Promise<void> {
    const { files, captures, wanted, probe } = this.#tools;
    const wants = { picture: wanted('failure_screenshot'), html: wanted('failure_html') };
    if (!wants.picture && !wants.html) return;
    const open = await probe(page);
    if (!open) {
      if (wants.picture) this.#lastFrame('the page was gone');
      return;
    }
    const capture = await captures.takeOrReuse(open, wants);
    if (capture.jpeg) files.picture('failure_screenshot', 'failure/screenshot.jpg', capture);
    else if (wants.picture) this.#lastFrame(capture.problem ?? 'the page could not be drawn');
    if (capture.html) files.html('failure_html', 'failure/page.html', capture);
  }

  /** The newest frame that the page showed, when a picture of it is not possible any more. */
  #lastFrame(reason: string): void {
    const { files, lastFrame, problem } = this.#tools;
    const frame = lastFrame();
    if (!frame) {
      problem(`no picture of the failure: ${reason}`);
      return;
    }
    const ageMs = Math.round(Date.now() - frame.wallTimeMs);
    problem(`the picture of the failure is the last frame, ${ageMs} ms older, because ${reason}`);
    files.write('failure_screenshot', 'failure/screenshot.jpg', undefined, () => ({ data: frame.jpeg }));
  }

  #errors({ error, url, step }: FailureMoment): void {
    const { files, errors } = this.#tools;
    const value = {
      error,
      url,
      step: step ? { step_number: step.stepNumber, name: step.name } : null,
      problems_total: errors.total,
      problems: errors.list().map((problem) => ({ ...problem })),
    };
    files.json('failure_errors', 'failure/errors.json', value, { isEvidence: true });
  }
}
