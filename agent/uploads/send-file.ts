/** One file to S3, checked against the digest it was recorded with, never more than a few parts of it in memory. */
import { createHash, webcrypto, type Hash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import type { CompletedPart, S3Client } from '@aws-sdk/client-s3';
import type { UploadRow } from '../store/uploads.ts';

/** Up to here one `PutObject` from memory; above it parts. */
export const SINGLE_PUT_MAX_BYTES = 8 * 1024 * 1024;

/** S3's smallest part; 10,000 of them are 50 GB. */
const PART_BYTES = 5 * 1024 * 1024;

/** S3's limit on parts of one upload. */
const MAX_PARTS = 10_000;

/** Parts of one file in memory: read, sent, or waiting for the answer. */
const PARTS_IN_FLIGHT = 3;

/** Read and hashed at a time: under a millisecond, so that nothing else on this thread waits for longer. */
const SLICE_BYTES = 512 * 1024;

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
    if (size > SINGLE_PUT_MAX_BYTES) return await sendInParts(s3, row, file, options);
    const body = Buffer.allocUnsafeSlow(size);
    const hash = createHash('sha256');
    await readSlices(row, file, body, hash);
    checkDigest(row, hash.digest('hex'));
    await sendWhole(s3, row, body, options.signal);
  } finally {
    await file.close();
  }
}

/** Removes the parts that an attempt left behind when its process ended. */
export async function abortMultipart(s3: S3Client, row: UploadRow, multipartId: string): Promise<void> {
  const { AbortMultipartUploadCommand } = await import('@aws-sdk/client-s3');
  await s3.send(new AbortMultipartUploadCommand({ Bucket: row.bucket, Key: row.key, UploadId: multipartId }));
}

async function sendWhole(s3: S3Client, row: UploadRow, body: Buffer, signal: AbortSignal): Promise<void> {
  const { PutObjectCommand } = await import('@aws-sdk/client-s3');
  const command = new PutObjectCommand({
    Bucket: row.bucket,
    Key: row.key,
    Body: body,
    ContentLength: body.length,
    ContentType: row.content_type,
    Metadata: row.metadata,
    // The recorded digest: S3 refuses the object when other bytes arrive, and keeps it with the object.
    ChecksumSHA256: Buffer.from(row.sha256, 'hex').toString('base64'),
  });
  signWith(command, row.sha256);
  await s3.send(command, { abortSignal: signal });
}

async function sendInParts(
  s3: S3Client,
  row: UploadRow,
  file: FileHandle,
  options: { signal: AbortSignal; onMultipart: (id: string | null) => void },
): Promise<void> {
  const { CreateMultipartUploadCommand, CompleteMultipartUploadCommand } = await import('@aws-sdk/client-s3');
  const object = { Bucket: row.bucket, Key: row.key };
  const { UploadId } = await s3.send(
    new CreateMultipartUploadCommand({
      ...object,
      ContentType: row.content_type,
      Metadata: row.metadata,
      ChecksumAlgorithm: 'SHA256',
    }),
    { abortSignal: options.signal },
  );
  if (UploadId === undefined) throw new Error(`S3 gave no id for the parts of ${row.key}`);
  options.onMultipart(UploadId);
  try {
    const Parts = await sendParts(s3, row, file, { UploadId, signal: options.signal });
    await s3.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } }), {
      abortSignal: options.signal,
    });
  } catch (thrown) {
    // It will not be tried again, so nobody else would remove them.
    if (thrown instanceof UnusableFile) await abortMultipart(s3, row, UploadId).catch(() => undefined);
    throw thrown;
  }
  options.onMultipart(null);
}

/**
 * Each part travels and is kept with its SHA-256; the file's own is checked while it is read, and before
 * the parts are put together.
 */
async function sendParts(
  s3: S3Client,
  row: UploadRow,
  file: FileHandle,
  { UploadId, signal }: { UploadId: string; signal: AbortSignal },
): Promise<CompletedPart[]> {
  const { UploadPartCommand } = await import('@aws-sdk/client-s3');
  const partBytes = Math.max(PART_BYTES, Math.ceil(row.size_bytes / MAX_PARTS));
  const hash = createHash('sha256');
  const done: CompletedPart[] = [];
  const failed = new AbortController();
  let failure: { thrown: unknown } | null = null;
  const abortSignal = AbortSignal.any([signal, failed.signal]);
  const flying = new Set<Promise<void>>();

  const send = async (PartNumber: number, body: Buffer<ArrayBuffer>): Promise<void> => {
    // Off this thread, unlike the file's own, which must be taken in order.
    const digest = Buffer.from(await webcrypto.subtle.digest('SHA-256', body));
    const ChecksumSHA256 = digest.toString('base64');
    const command = new UploadPartCommand({
      Bucket: row.bucket,
      Key: row.key,
      UploadId,
      PartNumber,
      Body: body,
      ContentLength: body.length,
      ChecksumSHA256,
    });
    signWith(command, digest.toString('hex'));
    const { ETag } = await s3.send(command, { abortSignal });
    done.push({ PartNumber, ChecksumSHA256, ...(ETag === undefined ? {} : { ETag }) });
  };

  try {
    for (let at = 0, number = 1; at < row.size_bytes; at += partBytes, number += 1) {
      const body = Buffer.allocUnsafeSlow(Math.min(partBytes, row.size_bytes - at));
      await readSlices(row, file, body, hash);
      const sent = send(number, body)
        .catch((thrown: unknown) => {
          failure ??= { thrown };
          failed.abort('another part failed');
        })
        .finally(() => flying.delete(sent));
      flying.add(sent);
      if (flying.size >= PARTS_IN_FLIGHT) await Promise.race(flying);
      if (failed.signal.aborted) break;
    }
    await Promise.all(flying);
    if (failure) throw (failure as { thrown: unknown }).thrown;
    checkDigest(row, hash.digest('hex'));
  } finally {
    failed.abort('it is over');
    await Promise.all(flying);
  }
  return done.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
}

/** Fills the buffer from where the file was read up to. */
async function readSlices(row: UploadRow, file: FileHandle, into: Buffer, hash: Hash): Promise<void> {
  for (let filled = 0; filled < into.length;) {
    const length = Math.min(SLICE_BYTES, into.length - filled);
    const { bytesRead } = await file.read(into, filled, length);
    if (bytesRead === 0) {
      throw new UnusableFile(`${row.path} ends early: it was changed after it was recorded`);
    }
    hash.update(into.subarray(filled, filled + bytesRead));
    filled += bytesRead;
  }
}

/** The signature covers the body by its SHA-256, which is known already: it need not be computed once more. */
function signWith(command: { middlewareStack: { add: unknown } }, sha256: string): void {
  const middleware = (next: (args: BuildArguments) => Promise<unknown>) => (args: BuildArguments) => {
    args.request.headers['x-amz-content-sha256'] = sha256;
    return next(args);
  };
  const stack = command.middlewareStack as { add(middleware: unknown, options: object): void };
  stack.add(middleware, { step: 'build', name: 'knownBodyDigest' });
}

interface BuildArguments {
  request: { headers: Record<string, string> };
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
