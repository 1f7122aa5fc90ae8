/**
 * A profile as one encrypted file, to be taken to another machine (docs/profile-files.md has the format):
 *
 *   "LBAPROF1" | length of the header (4 bytes, big endian) | header (JSON) | ciphertext | tag (16 bytes)
 *
 * The key comes from the passphrase by scrypt; AES-256-GCM encrypts a ZIP and vouches for it and for the
 * header. Nothing of a file is unpacked before all of it is known to be whole.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  randomBytes,
  scrypt,
  timingSafeEqual,
  type CipherGCM,
} from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readdir, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { finished, pipeline } from 'node:stream/promises';
import { Unzip, UnzipInflate, UnzipPassThrough, Zip, ZipDeflate } from 'fflate';
import { z } from 'zod';
import { AgentError } from '../base/errors.ts';

const MAGIC = Buffer.from('LBAPROF1');
const TAG_BYTES = 16;
/** What we write has some 300 bytes. */
const MAX_HEADER_BYTES = 4_096;
/** Of an encrypted file, and of what is in it: a profile has 30 to 300 MB without its caches. */
export const MAX_ARCHIVE_BYTES = 1_000_000_000;
const MAX_CONTENT_BYTES = 3_000_000_000;
const MAX_FILES = 100_000;
/** Read, packed and encrypted at a time: some 10 ms of work, so that nothing else waits for longer. */
const PIECE_BYTES = 262_144;
/** Of memory for the key, 128 MB: what makes guessing dear. (RFC 7914; OWASP's recommendation.) */
const SCRYPT = { N: 131_072, r: 8, p: 1 };
const SCRYPT_MEMORY_BYTES = 256 * 1024 * 1024;

const header = z.object({
  version: z.literal(1),
  kdf: z.literal('scrypt'),
  // What we write and nothing else: a strange file must not make the agent take all memory.
  N: z.literal(SCRYPT.N),
  r: z.literal(SCRYPT.r),
  p: z.literal(SCRYPT.p),
  salt: z.base64(),
  cipher: z.literal('aes-256-gcm'),
  iv: z.base64(),
  /** Tells a wrong passphrase from a damaged file. */
  check: z.base64(),
});

/**
 * What a copy of a user data directory does without: caches, which Chrome makes anew (a site's own storage,
 * service workers included, is kept), and the marks of the
 * browser that has the original open. Names as found in a directory of Chromium 156.
 */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'SingletonLock',
  'SingletonSocket',
  'SingletonCookie',
  'lockfile',
  'LOCK',
  'DevToolsActivePort',
  'RunningChromeVersion',
  'lba-owner.json',
  'Cache',
  'Code Cache',
  'GPUCache',
  'DawnCache',
  'DawnGraphiteCache',
  'DawnWebGPUCache',
  'GrShaderCache',
  'GraphiteDawnCache',
  'ShaderCache',
  'component_crx_cache',
  'extensions_crx_cache',
  'optimization_guide_model_store',
  'Crashpad',
  'Crash Reports',
  'BrowserMetrics',
  'BrowserMetrics-spare.pma',
  'Safe Browsing',
  'segmentation_platform',
]);

/** They go along as they are, in a note: their files open on the machine that made them alone. */
const COOKIES = new Set(['Cookies', 'Cookies-journal', 'Cookies-wal', 'Cookies-shm']);

/** Where files of the user data directory stand in the ZIP. */
const FILES = 'files/';
/** What stands beside them. */
export type ArchiveNotes = Record<string, string>;

/** Packs and encrypts a user data directory that no browser has open, without its caches. */
export async function writeArchive(
  file: string,
  from: { dir: string; notes: ArchiveNotes; passphrase: string },
): Promise<void> {
  const salt = randomBytes(16);
  const iv = randomBytes(12);
  const { key, check } = await keyOf(from.passphrase, salt);
  const head = Buffer.from(
    JSON.stringify({
      version: 1,
      kdf: 'scrypt',
      ...SCRYPT,
      salt: salt.toString('base64'),
      cipher: 'aes-256-gcm',
      iv: iv.toString('base64'),
      check: check.toString('base64'),
    } satisfies z.infer<typeof header>),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.length);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(head);
  await pipeline(
    sealed([MAGIC, length, head], packed(from.dir, from.notes), cipher),
    createWriteStream(file, { mode: 0o600 }),
  );
}

async function* sealed(
  plain: readonly Buffer[],
  content: AsyncIterable<Uint8Array>,
  cipher: CipherGCM,
): AsyncGenerator<Buffer> {
  yield* plain;
  for await (const piece of content) yield cipher.update(piece);
  yield cipher.final();
  yield cipher.getAuthTag();
}

async function* packed(dir: string, notes: ArchiveNotes): AsyncGenerator<Uint8Array> {
  let ready: Uint8Array[] = [];
  let failed: Error | null = null;
  const zip = new Zip((error, piece) => {
    if (error) failed = error;
    else ready.push(piece);
  });
  const take = (): Uint8Array[] => {
    if (failed) throw failed;
    const taken = ready;
    ready = [];
    return taken;
  };
  for (const [name, text] of Object.entries(notes)) {
    const entry = new ZipDeflate(name);
    zip.add(entry);
    entry.push(Buffer.from(text), true);
    yield* take();
  }
  for await (const name of filesOf(dir)) {
    const entry = new ZipDeflate(FILES + name.split(sep).join('/'), { level: 3 });
    zip.add(entry);
    for await (const piece of createReadStream(join(dir, name), { highWaterMark: PIECE_BYTES })) {
      entry.push(piece as Buffer);
      yield* take();
    }
    entry.push(new Uint8Array(0), true);
    yield* take();
  }
  zip.end();
  yield* take();
}

/** Plain files, relative; no links, which would lead out of the directory elsewhere. */
async function* filesOf(dir: string, below = ''): AsyncGenerator<string> {
  const entries = await readdir(join(dir, below), { withFileTypes: true });
  for (const entry of entries) {
    if (LEFT_OUT.has(entry.name) || COOKIES.has(entry.name)) continue;
    const name = join(below, entry.name);
    if (entry.isDirectory()) yield* filesOf(dir, name);
    else if (entry.isFile()) yield name;
  }
}

/**
 * Decrypts a file and unpacks it into a directory that is there and empty. `scratch` is a path of its own for
 * the plain ZIP; the caller removes it.
 *
 * @throws AgentError BrowserAgent.InvalidInput for a wrong passphrase, and for what is damaged or no such file
 */
export async function readArchive(
  file: string,
  to: { dir: string; scratch: string; passphrase: string },
): Promise<ArchiveNotes> {
  await decrypt(file, to.scratch, to.passphrase);
  return unpack(to.scratch, to.dir);
}

async function decrypt(file: string, scratch: string, passphrase: string): Promise<void> {
  const { size } = await stat(file);
  const { head, from } = await readHead(file, size);
  const told = header.safeParse(readJson(head));
  if (!told.success) throw damaged('its beginning cannot be read');
  const { key, check } = await keyOf(passphrase, Buffer.from(told.data.salt, 'base64'));
  const wanted = Buffer.from(told.data.check, 'base64');
  if (wanted.length !== check.length || !timingSafeEqual(wanted, check)) {
    throw new AgentError(
      'BrowserAgent.InvalidInput',
      'The passphrase is wrong. It is the one that was chosen when the profile was exported.',
    );
  }
  const tag = Buffer.alloc(TAG_BYTES);
  const handle = await open(file);
  try {
    await handle.read(tag, 0, TAG_BYTES, size - TAG_BYTES);
  } finally {
    await handle.close();
  }
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(told.data.iv, 'base64'))
    .setAAD(head)
    .setAuthTag(tag);
  const ciphertext = createReadStream(file, { start: from, end: size - TAG_BYTES - 1 });
  try {
    await pipeline(ciphertext, decipher, createWriteStream(scratch, { mode: 0o600 }));
  } catch (thrown) {
    throw damaged('it was changed, or is not all of it', thrown);
  }
}

async function readHead(file: string, size: number): Promise<{ head: Buffer; from: number }> {
  const handle = await open(file);
  try {
    const start = Buffer.alloc(MAGIC.length + 4);
    await handle.read(start, 0, start.length, 0);
    if (!start.subarray(0, MAGIC.length).equals(MAGIC)) {
      throw new AgentError(
        'BrowserAgent.InvalidInput',
        'This is no exported profile. Choose a file that Export made.',
      );
    }
    const length = start.readUInt32BE(MAGIC.length);
    const from = start.length + length;
    if (length > MAX_HEADER_BYTES || size < from + TAG_BYTES + 1) throw damaged('its end is missing');
    const head = Buffer.alloc(length);
    await handle.read(head, 0, length, start.length);
    return { head, from };
  } finally {
    await handle.close();
  }
}

async function unpack(zip: string, dir: string): Promise<ArchiveNotes> {
  const notes: ArchiveNotes = {};
  const work: Promise<void>[] = [];
  let files = 0;
  let bytes = 0;
  let failed: Error | null = null;
  const fail = (error: Error): void => {
    failed ??= error;
  };
  const unzip = new Unzip((entry) => {
    files += 1;
    if (files > MAX_FILES) return fail(damaged('it holds too many files'));
    const isFile = entry.name.startsWith(FILES);
    const path = isFile ? entry.name.slice(FILES.length) : '';
    if (isFile && !isSafe(path)) return fail(damaged('it holds a file that leads elsewhere'));
    const target = isFile ? join(dir, ...path.split('/')) : null;
    const pieces: Uint8Array[] = [];
    entry.ondata = (error, piece, final) => {
      if (error) return fail(error);
      bytes += piece.length;
      if (bytes > MAX_CONTENT_BYTES) return fail(damaged('it holds too much'));
      pieces.push(piece);
      if (!final) return;
      if (target === null) notes[entry.name] = Buffer.concat(pieces).toString('utf8');
      else work.push(writeFileWhole(target, pieces));
    };
    entry.start();
  });
  unzip.register(UnzipInflate);
  unzip.register(UnzipPassThrough);
  for await (const piece of createReadStream(zip, { highWaterMark: PIECE_BYTES })) {
    unzip.push(piece as Buffer);
    if (failed) throw failed;
    await Promise.all(work.splice(0));
  }
  unzip.push(new Uint8Array(0), true);
  if (failed) throw failed;
  await Promise.all(work);
  return notes;
}

/** Relative, on every platform, and not upwards. */
function isSafe(path: string): boolean {
  return (
    path !== '' &&
    !/[\0\\:]/.test(path) &&
    path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

async function writeFileWhole(target: string, pieces: readonly Uint8Array[]): Promise<void> {
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  const out = createWriteStream(target, { mode: 0o600 });
  for (const piece of pieces) out.write(piece);
  out.end();
  await finished(out);
}

async function keyOf(passphrase: string, salt: Buffer): Promise<{ key: Buffer; check: Buffer }> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  // One spelling, whatever keyboard it was typed on.
  scrypt(passphrase.normalize('NFC'), salt, 64, { ...SCRYPT, maxmem: SCRYPT_MEMORY_BYTES }, (error, made) =>
    error ? reject(error) : resolve(made),
  );
  const made = await promise;
  return {
    key: made.subarray(0, 32),
    check: createHash('sha256').update(made.subarray(32)).digest().subarray(0, 16),
  };
}

function readJson(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString('utf8'));
  } catch {
    return null;
  }
}

function damaged(how: string, cause?: unknown): AgentError {
  return new AgentError(
    'BrowserAgent.InvalidInput',
    `The file is damaged: ${how}. Export the profile again, or copy the file again.`,
    cause === undefined ? {} : { cause },
  );
}
