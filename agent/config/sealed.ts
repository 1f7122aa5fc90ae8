/**
 * Text sealed with a passphrase: AES-256-GCM with a key that scrypt makes of it. What is not secret about it stands
 * beside it, and is sealed against change, too.
 */
import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import { z } from 'zod';

/**
 * OWASP's parameters for scrypt where memory is short: 32 MB and about a third of a second
 * (https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#scrypt).
 */
const SCRYPT = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 };
const KEY_BYTES = 32;
const SALT_BYTES = 16;
/** 96 bits, as GCM wants them; a new one for each write. */
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Names the parameters above: with others it is another format. */
const FORMAT = 'lba-sealed-1';

const base64 = z.base64();
export const sealedSchema = z.strictObject({
  format: z.literal(FORMAT),
  salt: base64,
  iv: base64,
  tag: base64,
  data: base64,
});
export type Sealed = z.output<typeof sealedSchema>;

/** The passphrase was another one, or somebody changed what was sealed. */
export class WrongPassphrase extends Error {}

/** Seals and opens with one passphrase; making the key is slow, and done once for each salt. */
export class Sealer {
  readonly #passphrase: string;
  readonly #keys = new Map<string, Buffer>();

  constructor(passphrase: string) {
    this.#passphrase = passphrase.normalize('NFC');
  }

  /** @param before what is there already: its salt is kept, so that the key need not be made anew */
  seal(text: string, before?: Sealed): Sealed {
    const salt = before?.salt ?? randomBytes(SALT_BYTES).toString('base64');
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key(salt), iv, { authTagLength: TAG_BYTES });
    cipher.setAAD(additional(salt));
    const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return {
      format: FORMAT,
      salt,
      iv: iv.toString('base64'),
      tag: cipher.getAuthTag().toString('base64'),
      data: data.toString('base64'),
    };
  }

  /** @throws WrongPassphrase */
  open({ salt, iv, tag, data }: Sealed): string {
    try {
      const bytes = Buffer.from(iv, 'base64');
      const decipher = createDecipheriv('aes-256-gcm', this.#key(salt), bytes, { authTagLength: TAG_BYTES });
      decipher.setAAD(additional(salt));
      decipher.setAuthTag(Buffer.from(tag, 'base64'));
      const opened = Buffer.concat([decipher.update(Buffer.from(data, 'base64')), decipher.final()]);
      return opened.toString('utf8');
    } catch (thrown) {
      throw new WrongPassphrase('the passphrase does not fit, or the file was changed', { cause: thrown });
    }
  }

  #key(salt: string): Buffer {
    let key = this.#keys.get(salt);
    if (!key) {
      key = scryptSync(this.#passphrase, Buffer.from(salt, 'base64'), KEY_BYTES, SCRYPT);
      this.#keys.clear();
      this.#keys.set(salt, key);
    }
    return key;
  }
}

function additional(salt: string): Buffer {
  return Buffer.from(`${FORMAT} ${salt}`);
}
