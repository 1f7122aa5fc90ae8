/**
 * VNC authentication: the client encrypts a challenge by DES with the password. Weak (eight characters,
 * nothing that follows is encrypted): for the port on loopback alone.
 */
import { createCipheriv, randomBytes, timingSafeEqual } from 'node:crypto';

const CHALLENGE_BYTES = 16;
const BLOCK_BYTES = 8;
/** VNC takes no more of a password. */
export const MAX_PASSWORD_BYTES = 8;

export function makeChallenge(): Buffer {
  return randomBytes(CHALLENGE_BYTES);
}

export function isRightResponse(challenge: Buffer, response: Buffer, password: string): boolean {
  const expected = encrypted(challenge, password);
  return response.length === expected.length && timingSafeEqual(response, expected);
}

/** What a client that knows the password answers. */
export function encrypted(challenge: Buffer, password: string): Buffer {
  const key = Buffer.alloc(BLOCK_BYTES);
  // VNC reads each byte of the key from the wrong end.
  key.set([...Buffer.from(password, 'latin1').subarray(0, MAX_PASSWORD_BYTES)].map(mirrored));
  const blocks: Buffer[] = [];
  for (let at = 0; at < challenge.length; at += BLOCK_BYTES) {
    // Single DES is not in every OpenSSL; triple DES with one key three times is the same.
    const cipher = createCipheriv('des-ede3-cbc', Buffer.concat([key, key, key]), Buffer.alloc(BLOCK_BYTES));
    cipher.setAutoPadding(false);
    blocks.push(cipher.update(challenge.subarray(at, at + BLOCK_BYTES)));
  }
  return Buffer.concat(blocks);
}

function mirrored(byte: number): number {
  let result = 0;
  for (let bit = 0; bit < 8; bit += 1) if (byte & (1 << bit)) result |= 0x80 >> bit;
  return result;
}
