/**
 * Where the owner's own programs (command line, window) find the API: `api.json` in the data directory, with
 * its address and a key that may do everything, for the agent's user alone and for this start alone.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { readJsonFile } from '../base/json.ts';
import { replaceFile } from '../base/replace-file.ts';

const ownerFileSchema = z.object({
  /** e.g. `http://127.0.0.1:4590`. */
  url: z.string(),
  token: z.string(),
  pid: z.number(),
  /** PEM of the certificate that it shows, where it speaks TLS: the owner's programs trust exactly that. */
  certificate: z.string().optional(),
  /** The port for VNC clients, where one was asked for: how to get in, or why it is not open. */
  vnc: z
    .union([z.object({ port: z.number(), password: z.string() }), z.object({ problem: z.string() })])
    .optional(),
});

export type OwnerFile = z.infer<typeof ownerFileSchema>;

export function writeOwnerFile(path: string, content: OwnerFile): void {
  const draft = `${path}.${process.pid}.new`;
  // A file of that name from before would keep its mode.
  rmSync(draft, { force: true });
  writeFileSync(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  replaceFile(draft, path);
}

/** Undefined: no agent has written one, or it cannot be read. Whether that agent lives is for the caller to see. */
export function readOwnerFile(path: string): OwnerFile | undefined {
  try {
    return readJsonFile(path, ownerFileSchema);
  } catch {
    return undefined;
  }
}

/** Removes ours; one that another agent has written since stays. */
export function removeOwnerFile(path: string, token: string): void {
  if (readOwnerFile(path)?.token === token) rmSync(path, { force: true });
}
