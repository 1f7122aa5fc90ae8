/** One artifact's file over HTTP, whole or in part. Which file is decided by its row, never by the request. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ArtifactRow } from '../store/artifacts.ts';
import { ApiError } from './problem.ts';

/** What is no larger is read at once: a stream would take six trips to other threads for it. */
const AT_ONCE_BYTES = 65_536;
/** A request with one of these may be answered with less than the file. */
const CONDITIONS = [
  'range',
  'if-range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
] as const;

interface Found {
  statusCode: number;
  headers: Record<string, string>;
  body: NodeJS.ReadableStream | Buffer | undefined;
}

export async function sendArtifact(
  request: FastifyRequest,
  reply: FastifyReply,
  row: ArtifactRow,
): Promise<FastifyReply> {
  const isWhole = request.method === 'GET' && CONDITIONS.every((name) => request.headers[name] === undefined);
  const { statusCode, headers, body } =
    isWhole && row.size_bytes <= AT_ONCE_BYTES ? readAtOnce(row) : await streamAsAsked(request, reply, row);
  return reply
    .code(statusCode)
    .headers(headers)
    .headers({
      'content-type': row.content_type,
      'content-disposition': disposition(basename(row.key)),
      'cache-control': 'private, no-cache',
      // A page that was recorded may hold anything: nowhere may it run as if it were ours.
      'content-security-policy': "sandbox; default-src 'none'",
      ...(/^[0-9a-f]{64}$/.test(row.sha256)
        ? { 'repr-digest': `sha-256=:${Buffer.from(row.sha256, 'hex').toString('base64')}:` }
        : {}),
    })
    .send(body);
}

/** A small file, with the headers that @fastify/send gives it, so that they fit what is asked later. */
function readAtOnce(row: ArtifactRow): Found {
  let file: number;
  try {
    // Windows knows no such flag, and no such links that a user without rights could make.
    file = openSync(row.path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  } catch {
    throw gone();
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw gone();
    const headers = {
      'accept-ranges': 'bytes',
      'last-modified': stat.mtime.toUTCString(),
      etag: `W/"${stat.size.toString(16)}-${stat.mtime.getTime().toString(16)}"`,
    };
    return { statusCode: 200, headers, body: readFileSync(file) };
  } finally {
    closeSync(file);
  }
}

async function streamAsAsked(request: FastifyRequest, reply: FastifyReply, row: ArtifactRow): Promise<Found> {
  await checkFile(row);
  const { default: send } = await import('@fastify/send');
  const { statusCode, headers, stream } = await send(request.raw, encodeURIComponent(basename(row.path)), {
    root: dirname(row.path),
    dotfiles: 'allow',
    index: false,
    // A file of evidence never changes, but a run may be removed: ask again each time.
    cacheControl: false,
    contentType: false,
  });
  if (statusCode >= 400) {
    stream.destroy();
    if (statusCode === 416) {
      void reply.header('content-range', `bytes */${row.size_bytes}`);
      throw new ApiError(416, 'BrowserAgent.InvalidInput', `The file has ${row.size_bytes} bytes.`);
    }
    throw gone();
  }
  return { statusCode, headers, body: statusCode === 304 ? undefined : stream };
}

/** A plain file, no link to elsewhere. */
async function checkFile(row: ArtifactRow): Promise<void> {
  let isFile: boolean;
  try {
    isFile = (await lstat(row.path)).isFile();
  } catch {
    isFile = false;
  }
  if (!isFile) throw gone();
}

function gone(): ApiError {
  return new ApiError(404, 'BrowserAgent.NotFound', 'The file is not on this machine any more.', {
    hint: 'recording.keep_level, keep_days and keep_gb decide what is kept.',
  });
}

/** RFC 6266: a plain name for old clients, the exact one for the others. */
function disposition(name: string): string {
  const plain = name.replace(/[^\w.-]/g, '_');
  const exact = encodeURIComponent(name).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}
