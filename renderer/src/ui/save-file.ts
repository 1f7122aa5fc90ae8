/** Files for the person: the window asks where, a browser puts them with its downloads. */
import { bridge } from '../bridge.ts';

/** An address that a download began from is of no use after this, in milliseconds. */
const DOWNLOAD_MS = 60_000;

/** @returns whether it was saved, as far as it is known; false when the person changed their mind */
export async function saveFile(name: string, blob: Blob): Promise<boolean> {
  if (bridge) {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    return (await bridge.saveFile({ name, bytes })) !== null;
  }
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), DOWNLOAD_MS);
  return true;
}
