/**
 * A setup code: what an administrator hands to a person for one machine. It carries the first access key of that
 * machine's own user, with which nothing can be done but to trade it for another (invitation.ts).
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AgentError } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';

export interface SetupCode {
  environment: string;
  region: string;
  userName: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** Milliseconds since the epoch, to the second. */
  expiresAt: number;
}

/** The version of what follows: another form will begin with another. */
const PREFIX = 'lba1-';

/** So that half a code is seen to be one before anything is asked of AWS. */
const CHECK_CHARS = 6;

const parts = z.tuple([
  z.string().min(1),
  z.string().min(1),
  z.string().min(1),
  z.string().min(1),
  z.string().min(1),
  z.int().positive(),
]);

/** One line without blanks, about 200 characters. */
export function writeSetupCode(code: SetupCode): string {
  const { environment, region, userName, accessKeyId, secretAccessKey, expiresAt } = code;
  const values = [environment, region, userName, accessKeyId, secretAccessKey, Math.floor(expiresAt / 1000)];
  const body = Buffer.from(JSON.stringify(values)).toString('base64url');
  return PREFIX + body + checkOf(body);
}

/** @throws AgentError BrowserAgent.InvalidInput for what is no code, or not the whole of one; quotes nothing of it */
export function readSetupCode(text: string): SetupCode {
  // Mail programs break lines.
  const clean = text.replaceAll(/\s+/g, '');
  const body = clean.slice(PREFIX.length, -CHECK_CHARS);
  if (!clean.startsWith(PREFIX)) {
    throw new AgentError(
      'BrowserAgent.InvalidInput',
      `this is no setup code: one begins with ${PREFIX}. An administrator makes one with "local-browser-agent invite --env ENV".`,
    );
  }
  if (checkOf(body) !== clean.slice(-CHECK_CHARS)) {
    throw new AgentError(
      'BrowserAgent.InvalidInput',
      'the setup code is not complete, or was changed on its way: copy all of it.',
    );
  }
  const [environment, region, userName, accessKeyId, secretAccessKey, expires] = parseJson(
    Buffer.from(body, 'base64url').toString('utf8'),
    parts,
    'the setup code',
  );
  return { environment, region, userName, accessKeyId, secretAccessKey, expiresAt: expires * 1000 };
}

function checkOf(body: string): string {
  return createHash('sha256').update(body).digest('base64url').slice(0, CHECK_CHARS);
}
