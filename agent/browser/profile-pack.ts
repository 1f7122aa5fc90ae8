/** The plain content of a profile file: a ZIP archive of notes and of the files that are carried. */
import { Zip, ZipDeflate } from 'fflate';
import { AgentError } from '../base/errors.ts';
import { carriedFiles } from './profile-copy.ts';
import { MAX_FILES, tooMuch } from './profile-limits.ts';

/** Texts beside the files, by name. */
export type ArchiveNotes = Record<string, string>;

/** Folder of the ZIP archive for the files of the user data directory. */
export const FILES = 'files/';

/** Bytes that are read and packed at a time: about 10 ms of work, so that nothing else waits for longer. */
const PIECE_BYTES = 262_144;

/** @throws AgentError InvalidInput when there is more than the limits allow */
export async function* packed(
  dir: string,
  notes: ArchiveNotes,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
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
  let bytes = 0;
  const count = (more: number): void => {
    bytes += more;
    if (bytes > maxBytes) throw tooMuch('The profile holds', maxBytes);
  };
  for (const [name, text] of Object.entries(notes)) {
    const content = Buffer.from(text);
    count(content.length);
    const entry = new ZipDeflate(name);
    zip.add(entry);
    entry.push(content, true);
    yield* take();
  }
  let files = 0;
  for await (const { path, handle, checked } of carriedFiles(dir, 'file')) {
    files += 1;
    if (files > MAX_FILES) throw tooManyFiles();
    const entry = new ZipDeflate(FILES + path, { level: 3 });
    zip.add(entry);
    const pieces =
      checked === undefined
        ? handle.createReadStream({ highWaterMark: PIECE_BYTES, autoClose: false })
        : [checked];
    for await (const piece of pieces) {
      count((piece as Buffer).length);
      entry.push(piece as Buffer);
      yield* take();
    }
    entry.push(new Uint8Array(0), true);
    yield* take();
  }
  zip.end();
  yield* take();
}

function tooManyFiles(): AgentError {
  return new AgentError(
    'BrowserAgent.InvalidInput',
    `The profile holds more than ${MAX_FILES.toLocaleString('en')} files of sites. Clear the data of sites that you do not need in a sign-in window, then export again.`,
  );
}
