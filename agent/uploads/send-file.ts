/** One file to S3, checked against the digest it was recorded with, never more than a few parts of it in memory. */
import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import type { UploadRow } from '../store/uploads.ts';

/** Up to here one `PutObject` from memory; above it parts. */
export const SINGLE_PUT_MAX_BYTES = 8 * 1024 * 1024;

/** S3's smallest part; 10,000 of them are 50 GB. */
const PART_BYTES = 5 * 1024 * 1024;

/** S3's limit on parts of one upload. */
const MAX_PARTS = 10_000;

/** Parts in flight for one file: the next is read while one is sent. */
const PARTS_IN_FLIGHT = 2;

/** The file is gone, or is not what was recorded: no retry can help. */
export class UnusableFile extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnusableFile';
  }
}

/**
 * @param onMultipart told the id of a multipart upload before its first part goes out, and `null` when it
 *   is over
 * @throws UnusableFile, or what the SDK throws
 */
export async function sendFile(
  s3: S3Client,
  row: UploadRow,
  options: { signal: AbortSignal; onMultipart: (id: string | null) => void },
): Promise<void> {
  const file = await openFile(row.path);
  try {
    const { size } = await file.stat();
    if (size !== row.size_bytes) {
      throw new UnusableFile(
        `${row.path} has ${size} bytes, recorded were ${row.size_bytes}: it was changed after it was recorded`,
      );
    }
    if (size <= SINGLE_PUT_MAX_BYTES) await sendWhole(s3, row, file, options.signal);
    else await sendInParts(s3, row, file, options);
  } finally {
    await file.close();
  }
}

/** Removes the parts that an attempt left behind when its process ended. */
export async function abortMultipart(s3: S3Client, row: UploadRow, multipartId: string): Promise<void> {
  const { AbortMultipartUploadCommand } = await import('@aws-sdk/client-s3');
  await s3.send(new AbortMultipartUploadCommand({ Bucket: row.bucket, Key: row.key, UploadId: multipartId }));
}

async function sendWhole(s3: S3Client, row: UploadRow, file: FileHandle, signal: AbortSignal): Promise<void> {
  const body = await file.readFile();
  checkDigest(row, createHash('sha256').update(body).digest('hex'));
  const { PutObjectCommand } = await import('@aws-sdk/client-s3');
  await s3.send(
    new PutObjectCommand({
      Bucket: row.bucket,
      Key: row.key,
      Body: body,
      ContentLength: body.length,
      ContentType: row.content_type,
      Metadata: row.metadata,
      // The recorded digest: S3 refuses the object when other bytes arrive, and keeps it with the object.
      ChecksumSHA256: Buffer.from(row.sha256, 'hex').toString('base64'),
    }),
    { abortSignal: signal },
  );
}

async function sendInParts(
  s3: S3Client,
  row: UploadRow,
  file: FileHandle,
  options: { signal: AbortSignal; onMultipart: (id: string | null) => void },
): Promise<void> {
  const { Upload } = await import('@aws-sdk/lib-storage');
  const stopWatching = watchMultipart(s3, row, options.onMultipart);
  const controller = new AbortController();
  const abort = () => controller.abort(options.signal.reason);
  if (options.signal.aborted) abort();
  options.signal.addEventListener('abort', abort, { once: true });
  try {
    const upload = new Upload({
      client: s3,
      queueSize: PARTS_IN_FLIGHT,
      partSize: Math.max(PART_BYTES, Math.ceil(row.size_bytes / MAX_PARTS)),
      abortController: controller,
      params: {
        Bucket: row.bucket,
        Key: row.key,
        Body: Readable.from(checkedChunks(row, file), { objectMode: false }),
        ContentLength: row.size_bytes,
        ContentType: row.content_type,
        Metadata: row.metadata,
        // Each part travels and is kept with its SHA-256; the file's own is checked while it is read.
        ChecksumAlgorithm: 'SHA256',
      },
    });
    await upload.done();
    options.onMultipart(null);
  } finally {
    options.signal.removeEventListener('abort', abort);
    stopWatching();
  }
}

/** The file in order. Ends in an error, before the last part is sent, when it is not what was recorded. */
async function* checkedChunks(row: UploadRow, file: FileHandle): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  for await (const chunk of file.createReadStream({ autoClose: false, start: 0 })) {
    const bytes = chunk as Buffer;
    hash.update(bytes);
    yield bytes;
  }
  checkDigest(row, hash.digest('hex'));
}

function checkDigest(row: UploadRow, actual: string): void {
  if (actual === row.sha256) return;
  throw new UnusableFile(
    `${row.path} has SHA-256 ${actual}, recorded was ${row.sha256}: it was changed after it was recorded`,
  );
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new UnusableFile(`${path} does not exist any more: it was removed before it could be uploaded`);
    }
    throw thrown;
  }
}

/** lib-storage tells the id only with the first finished part; a crash before that would orphan the parts. */
function watchMultipart(s3: S3Client, row: UploadRow, onMultipart: (id: string) => void): () => void {
  const name = `remember-multipart-${row.upload_id}`;
  s3.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      const input = args.input as { Bucket?: string; Key?: string };
      if (
        context.commandName === 'CreateMultipartUploadCommand' &&
        input.Bucket === row.bucket &&
        input.Key === row.key
      ) {
        const id = (result.output as { UploadId?: string }).UploadId;
        if (id) onMultipart(id);
      }
      return result;
    },
    { step: 'initialize', name, override: true },
  );
  return () => s3.middlewareStack.remove(name);
}
