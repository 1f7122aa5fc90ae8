/** What the page may ask the main process for: each request is checked for who asks and what it says. */
import { writeFile } from 'node:fs/promises';
import { realpathSync, existsSync } from 'node:fs';
import { basename, join, relative, isAbsolute } from 'node:path';
import { app, dialog, ipcMain, shell, type IpcMainInvokeEvent, type WebContents } from 'electron';
import * as z from 'zod/mini';
import { homePaths } from '../agent/base/paths.ts';
import type { VaultProtection } from '../renderer/src/bridge.ts';
import type { AgentProcess } from './agent-process.ts';
import { CHANNELS, WINDOW_ORIGIN } from './channels.ts';
import { openable } from './external.ts';
import type { ShellLog } from './log.ts';
import { getLoginItem, setLoginItem } from './login-item.ts';
import { originOf } from './security.ts';

/** A video of an hour is some 300 MB. */
const MAX_FILE_BYTES = 1_000_000_000;
const MAX_NAME_CHARS = 200;

const folderSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('run'), runId: z.string().check(z.regex(/^[A-Za-z0-9_-]{1,64}$/)) }),
  z.object({ kind: z.literal('logs') }),
  z.object({ kind: z.literal('home') }),
]);
const fileSchema = z.object({ name: z.string(), bytes: z.instanceof(Uint8Array) });

export interface IpcOptions {
  home: string;
  agent: AgentProcess;
  /** How the agent is, with what the page should know of the start before. */
  connection: () => unknown;
  vault: VaultProtection;
  ownPage: () => WebContents | null;
  log: ShellLog;
}

export function answerPage(options: IpcOptions): void {
  const { agent, vault, home } = options;
  const answer = (channel: string, work: (message: unknown) => unknown): void => {
    ipcMain.handle(channel, async (event, message: unknown) => {
      checkSender(event, options);
      return await work(message);
    });
  };
  answer(CHANNELS.agent, () => options.connection());
  answer(CHANNELS.restartAgent, () => agent.restart());
  answer(CHANNELS.vault, () => ({ protection: vault.protection, isProtected: vault.isProtected }));
  answer(CHANNELS.getLoginItem, () => getLoginItem(app));
  answer(CHANNELS.setLoginItem, (isOn) => setLoginItem(app, z.boolean().parse(isOn)));
  answer(CHANNELS.openFolder, (folder) => openFolder(home, folderSchema.parse(folder)));
  answer(CHANNELS.openExternal, async (address) => {
    const url = openable(z.string().parse(address));
    if (url === null) return false;
    await shell.openExternal(url);
    return true;
  });
  answer(CHANNELS.saveFile, (file) => saveFile(fileSchema.parse(file)));
}

/** Only the main window's own page, in its main frame: no frame inside it, no other window. */
function checkSender(event: IpcMainInvokeEvent, { ownPage, log }: IpcOptions): void {
  const frame = event.senderFrame;
  const isOwn =
    event.sender === ownPage() &&
    frame !== null &&
    frame === event.sender.mainFrame &&
    originOf(frame.url) === WINDOW_ORIGIN;
  if (isOwn) return;
  log.error({ url: originOf(frame?.url ?? '') }, 'refused: a request of a foreign page');
  throw new Error('This page may not ask the app for anything.');
}

/** @returns why it could not be opened; empty: it was */
async function openFolder(home: string, folder: z.infer<typeof folderSchema>): Promise<string> {
  const paths = homePaths(home);
  const path = {
    run: () => join(paths.runs, 'runId' in folder ? folder.runId : ''),
    logs: () => paths.logs,
    home: () => home,
  }[folder.kind]();
  if (!existsSync(path)) return 'There is no such folder on this machine any more.';
  // A link could lead elsewhere.
  const inside = relative(realpathSync(home), realpathSync(path));
  if (inside.startsWith('..') || isAbsolute(inside)) return 'That folder is not part of the data directory.';
  return shell.openPath(path);
}

async function saveFile({ name, bytes }: z.infer<typeof fileSchema>): Promise<string | null> {
  if (bytes.byteLength > MAX_FILE_BYTES) throw new Error('The file is too large to be saved this way.');
  const plain = basename(name.replaceAll(/[\\/:*?"<>|\0]/g, '_')).slice(-MAX_NAME_CHARS);
  const { canceled, filePath } = await dialog.showSaveDialog({
    defaultPath: join(app.getPath('downloads'), plain === '' ? 'file' : plain),
  });
  if (canceled || filePath === undefined || filePath === '') return null;
  await writeFile(filePath, bytes);
  return filePath;
}
