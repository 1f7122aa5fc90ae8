/**
 * The main window: made when it is first shown, hidden when it is closed, where it was when it comes back. A
 * page that was hidden for a while is let go of, because it takes as much memory as the rest of the shell; it
 * is loaded anew, at the same place, when somebody wants to see it.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { BrowserWindow, nativeTheme, screen, type Rectangle } from 'electron';
import { z } from 'zod';
import { readJsonFile } from '../agent/base/json.ts';
import { NAVIGATE, VERSION_ARGUMENT, WINDOW_ORIGIN } from './channels.ts';
import type { ShellLog } from './log.ts';

/** Who looks again within this time finds the page as it was, in milliseconds. */
const RELEASE_MS = 30_000;
/** The window's state, as its state file stores it. */
const placeSchema = z.object({ x: z.int(), y: z.int(), width: z.int(), height: z.int() });

const FIRST_SIZE = { width: 1280, height: 820 };
const LEAST_SIZE = { minWidth: 480, minHeight: 400 };
/** The page's own backgrounds, so that nothing flashes before it is drawn. */
const BACKGROUNDS = { dark: '#1a1b1e', light: '#ffffff' };

export interface MainWindowOptions {
  preload: string;
  icon: string;
  version: string;
  /** Where its place and size are kept. */
  stateFile: string;
  isDebuggable: boolean;
  log: ShellLog;
  /** How long a hidden page is kept, in milliseconds; default: {@link RELEASE_MS}. */
  releaseMs?: number;
  /** Whether closing hides it; false: the app quits. */
  hides: () => boolean;
}

export class MainWindow {
  readonly #options: MainWindowOptions;
  #window: BrowserWindow | null = null;
  #isLoaded = false;
  /** The page's path when it was let go of. */
  #path = '/';
  #release: NodeJS.Timeout | undefined;

  constructor(options: MainWindowOptions) {
    this.#options = options;
  }

  get contents(): Electron.WebContents | null {
    return this.#window?.webContents ?? null;
  }

  get isVisible(): boolean {
    return this.#window?.isVisible() ?? false;
  }

  /** Shows it, at the page's path if one is given; brings it to the front. */
  show(path?: string): void {
    const window = this.#window ?? this.#make(path ?? this.#path);
    if (path !== undefined && this.#isLoaded) window.webContents.send(NAVIGATE, path);
    if (window.isMinimized()) window.restore();
    // A page that was never drawn yet is shown when it is.
    if (this.#isLoaded) window.show();
    window.focus();
  }

  hide(): void {
    this.#window?.hide();
  }

  /** The page anew, at the same path: with another policy. */
  reload(): void {
    this.#window?.webContents.reload();
  }

  /** A page that does not listen yet asks when it does: it works long before it is drawn and shown. */
  send(channel: string, message: unknown): void {
    this.#window?.webContents.send(channel, message);
  }

  destroy(): void {
    this.#window?.destroy();
  }

  #make(path: string): BrowserWindow {
    const { preload, icon, version, isDebuggable, hides, log, releaseMs = RELEASE_MS } = this.#options;
    const window = new BrowserWindow({
      ...FIRST_SIZE,
      ...LEAST_SIZE,
      ...this.#kept(),
      show: false,
      title: 'Local Browser Agent',
      icon,
      autoHideMenuBar: true,
      backgroundColor: nativeTheme.shouldUseDarkColors ? BACKGROUNDS.dark : BACKGROUNDS.light,
      webPreferences: {
        preload,
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        webSecurity: true,
        webviewTag: false,
        navigateOnDragDrop: false,
        spellcheck: false,
        devTools: isDebuggable,
        additionalArguments: [`${VERSION_ARGUMENT}${version}`],
      },
    });
    this.#window = window;
    window.once('ready-to-show', () => {
      this.#isLoaded = true;
      window.show();
    });
    window.on('close', (event) => {
      this.#keep(window.getNormalBounds());
      if (!hides()) return;
      event.preventDefault();
      window.hide();
    });
    window.on('hide', () => {
      this.#release = setTimeout(() => this.#letGo(window), releaseMs);
    });
    window.on('show', () => clearTimeout(this.#release));
    window.on('closed', () => {
      clearTimeout(this.#release);
      this.#window = null;
      this.#isLoaded = false;
    });
    window.webContents.on('render-process-gone', (_event, { reason }) => {
      log.error({ reason }, 'the page ended; it is loaded again');
      if (reason !== 'clean-exit') window.webContents.reload();
    });
    window.loadURL(`${WINDOW_ORIGIN}/#${path}`).catch((thrown: unknown) => {
      log.error({ err: thrown }, 'the page could not be loaded');
      this.#isLoaded = true;
      window.show();
    });
    return window;
  }

  #letGo(window: BrowserWindow): void {
    this.#path = new URL(window.webContents.getURL()).hash.slice(1) || '/';
    window.destroy();
  }

  /** Only where a screen still shows it. */
  #kept(): Partial<Rectangle> {
    try {
      const { x, y, width, height } = readJsonFile(this.#options.stateFile, placeSchema);
      const { workArea } = screen.getDisplayMatching({ x, y, width, height });
      const isSeen =
        x < workArea.x + workArea.width &&
        y < workArea.y + workArea.height &&
        x + width > workArea.x &&
        y + height > workArea.y;
      return isSeen ? { x, y, width, height } : {};
    } catch {
      return {};
    }
  }

  #keep(bounds: Rectangle): void {
    try {
      mkdirSync(dirname(this.#options.stateFile), { recursive: true });
      writeFileSync(this.#options.stateFile, JSON.stringify(bounds));
    } catch (thrown) {
      this.#options.log.warn({ err: thrown }, 'the place of the window could not be kept');
    }
  }
}
