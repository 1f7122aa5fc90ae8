import type { CaptureSource, CaptureTools, StepMoment } from '../capture-source.ts';
import { stepKinds } from '../step-kinds.ts';

/** Picture, HTML and data of single steps. */
export class StepEvidence implements CaptureSource {
  readonly name = 'step evidence';
  readonly kinds = [
    'screenshot',
    'data',
    'key_screenshot',
    'key_html',
    'step_screenshot',
    'step_html',
  ] as const;
  readonly reads = 'page';
  readonly #tools: CaptureTools;

  constructor(tools: CaptureTools) {
    this.#tools = tools;
  }

  async step({ step, result, page, navigated, pictured }: StepMoment): Promise<void> {
    const { files, captures, wanted, probe, problem } = this.#tools;
    const kinds = stepKinds(step, navigated);
    if (kinds.data && wanted(kinds.data)) {
      files.json(kinds.data, 'steps/{step}.json', result, { isEvidence: false, step });
    }
    const wants = { picture: !pictured && wanted(kinds.picture), html: wanted(kinds.html) };
    if (!wants.picture && !wants.html) return;
    const open = await probe(page);
    if (!open) {
      problem(`step ${step.stepNumber} has no picture: its page was closed`);
      return;
    }
    const capture = captures.take(open, wants);
    if (wants.picture) files.picture(kinds.picture, 'steps/{step}.jpg', capture, step);
    if (wants.html) files.html(kinds.html, 'steps/{step}.html', capture, step);
  }
}
