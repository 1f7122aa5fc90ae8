/** One attempt at one upload. A large file continues with the parts that earlier attempts sent. */
import type { S3Client } from '@aws-sdk/client-s3';
import { ServiceUnavailable } from '../aws/resilience.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { UploadRow, UploadStore } from '../store/uploads.ts';
import { abortMultipart, sendFile, type BegunUpload } from './send-file.ts';

export interface AttemptOptions {
  store: Pick<UploadStore, 'get' | 'parts' | 'addPart' | 'setMultipart'>;
  /** Called when the first upload is due, not before: an idle agent holds no S3 client. */
  s3: () => Promise<S3Client>;
  log: Logger;
}

/** @throws UnusableFile, or what the SDK throws */
export async function attemptUpload(
  row: UploadRow,
  signal: AbortSignal,
  options: AttemptOptions,
): Promise<void> {
  const { store } = options;
  const s3 = await options.s3();
  await sendFile(s3, row, {
    signal,
    begun: await begunUpload(s3, row, options),
    onMultipart: (id) => store.setMultipart(row.upload_id, id),
    onPart: (part) => store.addPart(row, part),
  });
}

/** Removes the parts of an upload that is given up, as far as S3 lets us. Never throws. */
export async function abandonUpload(row: UploadRow, options: AttemptOptions): Promise<void> {
  const multipartId = options.store.get(row.upload_id)?.multipart_id;
  if (!multipartId) return;
  await removeParts(await options.s3(), row, multipartId, options).catch(() => undefined);
}

/** With no known part there is nothing to continue: the multipart upload is removed. */
async function begunUpload(
  s3: S3Client,
  row: UploadRow,
  options: AttemptOptions,
): Promise<BegunUpload | null> {
  if (!row.multipart_id) return null;
  const parts = options.store.parts(row);
  if (parts.length > 0) return { id: row.multipart_id, parts };
  await removeParts(s3, row, row.multipart_id, options);
  return null;
}

async function removeParts(
  s3: S3Client,
  row: UploadRow,
  multipartId: string,
  { store, log }: AttemptOptions,
): Promise<void> {
  try {
    await abortMultipart(s3, row, multipartId);
  } catch (thrown) {
    if (thrown instanceof ServiceUnavailable) throw thrown; // the next attempt asks again
    // They are gone, or we may not remove them: the lifecycle rule of the bucket removes what is left.
    log.debug({ key: row.key, reason: messageOf(thrown) }, 'old parts were not removed');
  }
  store.setMultipart(row.upload_id, null);
}
