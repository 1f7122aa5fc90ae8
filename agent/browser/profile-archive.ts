/**
 * A profile as one encrypted file (docs/profile-files.md has the format):
 *
 *   "LBAPROF1" | length of the header (4 bytes, big endian) | header (JSON) | ciphertext | tag (16 bytes)
 *
 * scrypt makes the key from the passphrase. AES-256-GCM encrypts a ZIP archive and authenticates it and the header.
 * A file is decrypted and authenticated as a whole before anything of it is unpacked. Both ways stream to disk, so
 * that memory does not grow with the file.
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
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { AgentError } from '../base/errors.ts';
import { diskError } from './profile-limits.ts';
import { packed, type ArchiveNotes } from './profile-pack.ts';
import { unpack, type Unpacked } from './profile-unpack.ts';

const MAGIC = Buffer.from('LBAPROF1');
const TAG_BYTES = 16;
/** The header that this agent writes has about 300 bytes. */
const MAX_HEADER_BYTES = 4_096;
/** Cost of the key: 128 MB of memory for each guess at the passphrase (RFC 7914, OWASP's recommendation). */
const SCRYPT = { N: 131_072, r: 8, p: 1 };
const SCRYPT_MEMORY_BYTES = 256 * 1024 * 1024;

const header = z.object({
  version: z.literal(1),
  kdf: z.literal('scrypt'),
  // Exactly the cost above: a strange file must not make the agent use all memory.
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
 * Packs and encrypts what the list of profile-content.ts allows of a user data directory that no browser has open.
 *
 * @throws AgentError InvalidInput when the profile is larger than the limit; BrowserUnavailable for a full disk
 */
export async function writeArchive(
  file: string,
  from: { dir: string; notes: ArchiveNotes; passphrase: string; maxBytes: number },
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
  try {
    await pipeline(
      sealed([MAGIC, length, head], packed(from.dir, from.notes, from.maxBytes), cipher),
      createWriteStream(file, { flags: 'wx', mode: 0o600 }),
    );
  } catch (thrown) {
    throw diskError(thrown) ?? thrown;
  }
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

/**
 * Decrypts a file and unpacks into an empty directory what the list of profile-content.ts allows. `scratch` is the
 * path of a file for the decrypted ZIP archive; the caller removes it.
 *
 * @throws AgentError InvalidInput for a wrong passphrase, and for a file that is damaged or refused;
 * BrowserUnavailable for a full disk
 */
export async function readArchive(
  file: string,
  to: { dir: string; scratch: string; passphrase: string; maxBytes: number },
): Promise<Unpacked> {
  await decrypt(file, to.scratch, to.passphrase);
  return unpack(to.scratch, to.dir, to.maxBytes);
}

async function decrypt(file: string, scratch: string, passphrase: string): Promise<void> {
  // One handle for all of it, so that what is checked is what is read.
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const start = await readAt(handle, 0, MAGIC.length + 4);
    if (!start.subarray(0, MAGIC.length).equals(MAGIC)) {
      throw new AgentError(
        'BrowserAgent.InvalidInput',
        'This is no exported profile. Choose a file that Export made.',
      );
    }
    const headLength = start.readUInt32BE(MAGIC.length);
    const from = start.length + headLength;
    if (headLength > MAX_HEADER_BYTES || size < from + TAG_BYTES + 1) throw damaged('its end is missing');
    const head = await readAt(handle, start.length, headLength);
    const parsed = header.safeParse(readJson(head));
    if (!parsed.success) throw damaged('its header is not readable');
    const { key, check } = await keyOf(passphrase, Buffer.from(parsed.data.salt, 'base64'));
    const wanted = Buffer.from(parsed.data.check, 'base64');
    if (wanted.length !== check.length || !timingSafeEqual(wanted, check)) {
      throw new AgentError(
        'BrowserAgent.InvalidInput',
        'The passphrase is wrong. It is the one that was chosen when the profile was exported.',
      );
    }
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(parsed.data.iv, 'base64'))
      .setAAD(head)
      .setAuthTag(await readAt(handle, size - TAG_BYTES, TAG_BYTES));
    const ciphertext = createReadStream(file, {
      fd: handle,
      start: from,
      end: size - TAG_BYTES - 1,
      autoClose: false,
    });
    try {
      await pipeline(ciphertext, decipher, createWriteStream(scratch, { flags: 'wx', mode: 0o600 }));
    } catch (thrown) {
      throw diskError(thrown) ?? damaged('it was changed, or is not all of it', thrown);
    }
  } finally {
    await handle.close();
  }
}

/** Shorter than asked for at the end of the file. */
async function readAt(
  handle: Awaited<ReturnType<typeof open>>,
  position: number,
  length: number,
): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
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
