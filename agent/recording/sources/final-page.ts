import type { CaptureSource, CaptureTools, RunEnd } from '../capture-source.ts';

/** The page at the end of a run that succeeded. */
export class FinalPage implements CaptureSource {
  readonly name = 'final page';
  readonly kinds = ['final_screenshot', 'final_html'] as const;
  readonly reads = 'page';
  readonly #tools: CaptureTools;

  constructor(tools: CaptureTools) {
    this.#tools = tools;
  }

  async stop({ succeeded, page }: RunEnd): Promise<void> {
    const { files, captures, wanted, probe, problem } = this.#tools;
    const wants = { picture: wanted('final_screenshot'), html: wanted('final_html') };
    if (!succeeded || (!wants.picture && !wants.html)) return;
    const open = await probe(page);
    if (!open) {
      problem('no picture of the final page: it was closed');
      return;
    }
    const capture = await captures.takeOrReuse(open, wants);
    if (wants.picture) files.picture('final_screenshot', 'final/screenshot.jpg', capture);
    if (wants.html) files.html('final_html', 'final/page.html', capture);
  }
}
