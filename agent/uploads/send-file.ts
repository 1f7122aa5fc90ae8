/** One file to S3, checked against the digest it was recorded with, never more than a few parts of it in memory. */
import { createHash, webcrypto, type Hash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { MAX_PARTS, PART_BYTES, type SentPart, type UploadRow } from '../store/uploads.ts';

/** Up to here one `PutObject` from memory; above it parts. */
export const SINGLE_PUT_MAX_BYTES = 8 * 1024 * 1024;

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

/** A multipart upload that was begun, and the parts of it that S3 has. */
export interface BegunUpload {
  id: string;
  parts: readonly SentPart[];
}

export interface SendOptions {
  signal: AbortSignal;
  /** What an earlier attempt got to: only the other parts are sent. */
  begun: BegunUpload | null;
  /** Told the id of a multipart upload before its first part goes out, and `null` when it is over. */
  onMultipart: (id: string | null) => void;
  /** Told of each part that S3 has. */
  onPart: (part: SentPart) => void;
}

/** @throws UnusableFile, or what the SDK throws */
export async function sendFile(s3: S3Client, row: UploadRow, options: SendOptions): Promise<void> {
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
    await readSlices(row, file, { into: body, from: 0, hash });
    checkDigest(row, hash.digest('hex'));
    await sendWhole(s3, row, body, options.signal);
  } finally {
    await file.close();
  }
}

/** Removes the parts of an upload that will not be gone on with. */
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
    ChecksumSHA256: base64(row.sha256),
  });
  signWith(command, row.sha256);
  await s3.send(command, { abortSignal: signal });
}

/** Goes on with what was begun, as long as S3 knows it: after days a lifecycle rule may have removed it. */
async function sendInParts(
  s3: S3Client,
  row: UploadRow,
  file: FileHandle,
  options: SendOptions,
): Promise<void> {
  if (options.begun) {
    try {
      await finish(s3, row, file, { ...options, begun: options.begun });
      return;
    } catch (thrown) {
      if (!(thrown instanceof Error) || thrown.name !== 'NoSuchUpload') throw thrown;
    }
  }
  const { CreateMultipartUploadCommand } = await import('@aws-sdk/client-s3');
  const { UploadId } = await s3.send(
    new CreateMultipartUploadCommand({
      Bucket: row.bucket,
      Key: row.key,
      ContentType: row.content_type,
      Metadata: row.metadata,
      ChecksumAlgorithm: 'SHA256',
    }),
    { abortSignal: options.signal },
  );
  if (UploadId === undefined) throw new Error(`S3 gave no id for the parts of ${row.key}`);
  options.onMultipart(UploadId);
  await finish(s3, row, file, { ...options, begun: { id: UploadId, parts: [] } });
}

async function finish(
  s3: S3Client,
  row: UploadRow,
  file: FileHandle,
  options: SendOptions & { begun: BegunUpload },
): Promise<void> {
  const { CompleteMultipartUploadCommand } = await import('@aws-sdk/client-s3');
  const parts = await sendParts(s3, row, file, options);
  const command = new CompleteMultipartUploadCommand({
    Bucket: row.bucket,
    Key: row.key,
    UploadId: options.begun.id,
    MultipartUpload: {
      Parts: parts.map(({ number, sha256, etag }) => ({
        PartNumber: number,
        ChecksumSHA256: base64(sha256),
        ...(etag === null ? {} : { ETag: etag }),
      })),
    },
  });
  await s3.send(command, { abortSignal: options.signal });
  options.onMultipart(null);
}

/**
 * Each part travels and is kept with its SHA-256; the file's own is checked while it is read, and before
 * the parts are put together. A part that S3 has is read like the others, and not sent when it is the same.
 */
async function sendParts(
  s3: S3Client,
  row: UploadRow,
  file: FileHandle,
  { begun, signal, onPart }: SendOptions & { begun: BegunUpload },
): Promise<SentPart[]> {
  const { UploadPartCommand } = await import('@aws-sdk/client-s3');
  const partBytes = Math.max(PART_BYTES, Math.ceil(row.size_bytes / MAX_PARTS));
  const there = new Map(begun.parts.map((part) => [part.number, part]));
  const hash = createHash('sha256');
  const done: SentPart[] = [];
  const failures: unknown[] = [];
  const flying = new Set<Promise<unknown>>();

  const send = async (number: number, body: Buffer<ArrayBuffer>): Promise<void> => {
    // Off this thread, unlike the file's own, which must be taken in order.
    const sha256 = Buffer.from(await webcrypto.subtle.digest('SHA-256', body)).toString('hex');
    const before = there.get(number);
    if (before?.sha256 === sha256) {
      done.push(before);
      return;
    }
    const command = new UploadPartCommand({
      Bucket: row.bucket,
      Key: row.key,
      UploadId: begun.id,
      PartNumber: number,
      Body: body,
      ContentLength: body.length,
      ChecksumSHA256: base64(sha256),
    });
    signWith(command, sha256);
    const { ETag } = await s3.send(command, { abortSignal: signal });
    const part = { number, sha256, etag: ETag ?? null };
    onPart(part);
    done.push(part);
  };

  try {
    for (let at = 0, number = 1; at < row.size_bytes; at += partBytes, number += 1) {
      const body = Buffer.allocUnsafeSlow(Math.min(partBytes, row.size_bytes - at));
      await readSlices(row, file, { into: body, from: at, hash });
      const sent = send(number, body)
        .catch((thrown: unknown) => failures.push(thrown))
        .finally(() => flying.delete(sent));
      flying.add(sent);
      if (flying.size >= PARTS_IN_FLIGHT) await Promise.race(flying);
      if (failures.length > 0) break;
    }
  } finally {
    // Also after a failure: what arrives now need not be sent again.
    await Promise.all(flying);
  }
  if (failures.length > 0) throw failures[0];
  checkDigest(row, hash.digest('hex'));
  return done.toSorted((a, b) => a.number - b.number);
}

/** Fills the buffer with what the file has from there on. */
async function readSlices(
  row: UploadRow,
  file: FileHandle,
  { into, from, hash }: { into: Buffer; from: number; hash: Hash },
): Promise<void> {
  for (let filled = 0; filled < into.length;) {
    const length = Math.min(SLICE_BYTES, into.length - filled);
    const { bytesRead } = await file.read(into, filled, length, from + filled);
    if (bytesRead === 0) {
      throw new UnusableFile(`${row.path} ends early: it was changed after it was recorded`);
    }
    hash.update(into.subarray(filled, filled + bytesRead));
    filled += bytesRead;
  }
}

/** How S3 writes digests. */
function base64(sha256: string): string {
  return Buffer.from(sha256, 'hex').toString('base64');
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
