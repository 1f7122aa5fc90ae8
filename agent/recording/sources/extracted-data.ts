import type { CaptureSource, CaptureTools, RunEnd } from '../capture-source.ts';

/** Everything that the script extracted, as one file. */
export class ExtractedData implements CaptureSource {
  readonly name = 'extracted data';
  readonly kinds = ['data'] as const;
  readonly reads = 'page';
  readonly #tools: CaptureTools;

  constructor(tools: CaptureTools) {
    this.#tools = tools;
  }

  artifacts({ outcome: { data } }: RunEnd): void {
    if (!data || Object.keys(data).length === 0) return;
    this.#tools.files.json('data', 'final/data.json', data, { isEvidence: false });
  }
}
