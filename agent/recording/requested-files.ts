import type { ArtifactWriter, Wanted } from './artifact-writer.ts';
import type { ResolvedLevel } from '../base/words.ts';
import { ARTIFACTS } from './artifact-kinds.ts';
import type { EvidenceFiles } from './evidence-files.ts';
import type { Masks } from './masks.ts';
import { takeScreenshot } from './screenshot.ts';
import { slug, stepKey } from './slug.ts';
import type {
  AddFileRequest,
  NewArtifact,
  RecordedStep,
  ScreenshotRequest,
  ScreenshotTaken,
} from './types.ts';

export interface RequestedFilesOptions {
  level: ResolvedLevel;
  writer: ArtifactWriter;
  files: EvidenceFiles;
  masks: Masks;
  /** JPEG quality. */
  quality: number;
}

/** Files that a script asks for: screenshots and downloads. */
export class RequestedFiles {
  readonly #options: RequestedFilesOptions;

  constructor(options: RequestedFilesOptions) {
    this.#options = options;
  }

  async screenshot(request: ScreenshotRequest, step: RecordedStep | undefined): Promise<ScreenshotTaken> {
    const { writer, files, masks, quality } = this.#options;
    const byLevel = writer.wanted('screenshot', { failed: false });
    const upload = byLevel.upload && request.upload !== false;
    const wanted: Wanted = { upload, keep: byLevel.keep };
    const name = request.name?.replace(/\.(png|jpe?g|webp)$/i, '') ?? '';
    const stem = step
      ? stepKey({ ...step, name: name || step.name })
      : `steps/000-${slug(name, 'screenshot')}`;
    const reason = upload ? undefined : this.#whyNotUploaded(byLevel.upload);
    if (!wanted.upload && !wanted.keep) {
      const key = `${stem}.jpg`;
      return { path: null, key, contentType: 'image/jpeg', sizeBytes: 0, uploaded: false, reason: reason! };
    }
    const probe = await masks.probe(request.page);
    if (!probe) throw new Error('the page was closed before its screenshot was taken');
    await masks.applied();
    const taken = await takeScreenshot(probe, request, quality);
    const isPng = taken.contentType === ARTIFACTS.screenshot.files['steps/{step}.png'];
    const data = isPng ? taken.data : await files.fit(taken.data);
    const key = writer.reserve(`${stem}.${isPng ? 'png' : 'jpg'}`);
    const described = {
      kind: 'screenshot' as const,
      key,
      contentType: taken.contentType,
      wanted,
      masked: taken.masked,
      ...(step ? { stepNumber: step.stepNumber } : {}),
    };
    // The writer reports a failure.
    void writer.write(described, () => ({ data }));
    return {
      path: writer.pathOf(key),
      key,
      contentType: taken.contentType,
      sizeBytes: data.length,
      uploaded: upload,
      ...(reason === undefined ? {} : { reason }),
      ...(request.includeData && upload ? { data } : {}),
    };
  }

  async add(request: AddFileRequest, step: RecordedStep | undefined): Promise<NewArtifact | null> {
    const { writer } = this.#options;
    const wanted = writer.wanted(request.kind, { failed: false });
    if (!wanted.upload && !wanted.keep) return null;
    const dot = request.name.lastIndexOf('.');
    const extension = dot > 0 ? slug(request.name.slice(dot + 1), 'bin') : 'bin';
    const stem = slug(dot > 0 ? request.name.slice(0, dot) : request.name, 'file');
    const prefix = String(step?.stepNumber ?? 0).padStart(3, '0');
    return writer.adopt(
      {
        kind: request.kind,
        key: writer.reserve(`files/${prefix}-${stem}.${extension}`),
        contentType: request.contentType,
        wanted,
        ...(step ? { stepNumber: step.stepNumber } : {}),
      },
      request.path,
    );
  }

  #whyNotUploaded(isAllowed: boolean): string {
    if (isAllowed) return 'the step says upload_to_s3: false';
    const { level, reason } = this.#options.level;
    return `recording level ${level} (${reason}) keeps screenshots on this machine`;
  }
}
