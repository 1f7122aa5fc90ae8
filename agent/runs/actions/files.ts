import { access, mkdir, realpath, stat } from 'node:fs/promises';
import { basename, extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { Download } from 'playwright';
import { AgentError, messageOf } from '../../base/errors.ts';
import { toBrowserError } from '../../browser/errors.ts';
import { actOnElement, within } from './element.ts';
import { race } from './race.ts';
import type { ActionContext, ActionResult, StepOf } from './types.ts';

/** upload: files of the allowed folder into a file input, or into whatever opens the file chooser. */
export async function performUpload(step: StepOf<'upload'>, ctx: ActionContext): Promise<ActionResult> {
  const files = await Promise.all(step.files.map((file) => allowedFile(file, ctx.files.uploads)));
  const { fields } = await actOnElement(step, ctx, { action: 'upload' }, async ({ locator }, limits) => {
    const isInput = await locator.evaluate(
      (el) =>
        ((el instanceof HTMLLabelElement ? el.control : el) as HTMLInputElement | null)?.type === 'file',
      undefined,
      within(limits),
    );
    if (isInput) return locator.setInputFiles(files, within(limits));
    // A button that opens the file chooser.
    const chooser = ctx.page.waitForEvent('filechooser', within(limits));
    const [opened] = await Promise.all([chooser, locator.click(within(limits))]);
    return opened.setFiles(files, within(limits));
  });
  return { fields: { ...fields, files: files.map((file) => basename(file)) } };
}

/** The real path of a file inside the folder; links that lead out of it are refused. */
export async function allowedFile(file: string, folder: string): Promise<string> {
  const root = await realpath(folder).catch(() => resolve(folder));
  const path = isAbsolute(file) ? file : join(root, file);
  let real: string;
  try {
    real = await realpath(path);
  } catch {
    if (!isInside(resolve(path), root)) throw outside(file, folder);
    throw new AgentError(
      'BrowserAgent.InvalidInput',
      `There is no file "${file}" in ${folder}: put it there first.`,
    );
  }
  if (!isInside(real, root)) throw outside(file, folder);
  if (!(await stat(real)).isFile())
    throw new AgentError('BrowserAgent.InvalidInput', `"${file}" is not a file.`);
  return real;
}

function outside(file: string, folder: string): AgentError {
  return new AgentError(
    'BrowserAgent.PolicyDenied',
    `"${file}" is outside of the folder that uploads may come from (${folder}): put the file there.`,
  );
}

function isInside(path: string, root: string): boolean {
  const way = relative(root, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** download: does the trigger, saves what comes into the downloads folder, and makes it an artifact. */
export async function performDownload(step: StepOf<'download'>, ctx: ActionContext): Promise<ActionResult> {
  const { page, signal, timeoutMs } = ctx;
  const waiting = ctx.context.waitForEvent('download', { timeout: timeoutMs, signal });
  // Awaited below; must not be unhandled when the trigger fails first.
  waiting.catch(() => undefined);
  try {
    await ctx.performNested(step.trigger);
  } catch (thrown) {
    // Going to the address of a file "fails" as a navigation and starts the download.
    if (!(thrown instanceof AgentError && thrown.data['download'] === true)) throw thrown;
  }
  let download: Download;
  try {
    download = await waiting;
  } catch (thrown) {
    const error = await toBrowserError(thrown, { page, action: 'download', timeoutMs, signal });
    if (error.errorName !== 'BrowserAgent.StepTimeout') throw error;
    throw new AgentError(
      'BrowserAgent.StepTimeout',
      `${step.trigger.action} did not start a download within ${timeoutMs / 1000} s. If it opens the file in the browser instead, navigate to its address as the trigger.`,
    );
  }
  await mkdir(ctx.files.downloads, { recursive: true });
  const path = await freePath(
    ctx.files.downloads,
    safeFileName(step.save_to ?? download.suggestedFilename()),
  );
  await race(save(download, path), { signal, timeoutMs, what: 'download' });
  const { size } = await stat(path);
  const name = basename(path);
  const artifact = await ctx.recorder.addFile({
    path,
    name,
    contentType: contentTypeOf(name),
    kind: 'download',
  });
  return {
    fields: {
      filename: name,
      path,
      size_bytes: size,
      ...(artifact ? { key: artifact.key, uploaded: artifact.upload } : { uploaded: false }),
    },
    value: { filename: name, path, size_bytes: size },
  };
}

async function save(download: Download, path: string): Promise<void> {
  try {
    await download.saveAs(path);
  } catch (thrown) {
    const reason = await download.failure().catch(() => null);
    throw new AgentError(
      'BrowserAgent.StepFailed',
      `The download of "${download.suggestedFilename()}" failed: ${reason ?? messageOf(thrown)}.`,
    );
  }
}

/** Longest file name most file systems take is 255 bytes; room is left for a number. */
const MAX_NAME_LENGTH = 120;
/** Names that Windows keeps for devices. */
const RESERVED = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** A file name without folders, control characters and what Windows cannot store; never empty or hidden. */
export function safeFileName(name: string): string {
  const plain = (name.split(/[/\\]/).at(-1) ?? '')
    .normalize('NFC')
    // oxlint-disable-next-line no-control-regex -- control characters are what is taken out
    .replace(/[\u0000-\u001f\u007f<>:"|?*\u202a-\u202e\u2066-\u2069]/g, '_')
    .replace(/^[.\s]+|[.\s]+$/g, '');
  if (plain === '') return 'download';
  const safe = RESERVED.test(plain) ? `_${plain}` : plain;
  const ending = extname(safe).slice(0, 16);
  const stem = safe.slice(0, safe.length - extname(safe).length);
  return stem.slice(0, MAX_NAME_LENGTH - ending.length) + ending;
}

/** A name that is taken gets a number: no download replaces another. */
async function freePath(folder: string, name: string): Promise<string> {
  const MAX_TRIES = 10_000;
  const ending = extname(name);
  const stem = name.slice(0, name.length - ending.length);
  for (let number = 1; number < MAX_TRIES; number += 1) {
    const path = join(folder, number === 1 ? name : `${stem} (${number})${ending}`);
    const taken = await access(path).then(
      () => true,
      () => false,
    );
    if (!taken) return path;
  }
  throw new AgentError('BrowserAgent.StepFailed', `${folder} has too many files named "${name}": clear it.`);
}

const CONTENT_TYPES: Record<string, string> = {
  '.pdf': 'application/pdf',
  '.csv': 'text/csv',
  '.txt': 'text/plain',
  '.json': 'application/json',
  '.xml': 'application/xml',
  '.html': 'text/html',
  '.zip': 'application/zip',
  '.xlsx': 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  '.xls': 'application/vnd.ms-excel',
  '.docx': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
};

function contentTypeOf(name: string): string {
  return CONTENT_TYPES[extname(name).toLowerCase()] ?? 'application/octet-stream';
}
