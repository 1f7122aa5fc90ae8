/**
 * The desktop app: a thin shell around the agent's process. It shows the page, keeps the tray and the
 * credentials, and tells the agent what the machine does. Everything else is the agent's and the page's.
 *
 * Runs on the Electron that is shipped and, as a test, on Electron 25.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  app,
  Menu,
  Notification,
  powerMonitor,
  powerSaveBlocker,
  protocol,
  safeStorage,
  session,
} from 'electron';
import { messageOf } from '../agent/base/errors.ts';
import { defaultHome, homePaths } from '../agent/base/paths.ts';
import type { AgentSnapshot } from '../agent/base/shell-messages.ts';
import type { AgentConnection } from '../renderer/src/bridge.ts';
import { startChild } from './agent-child.ts';
import { AgentProcess } from './agent-process.ts';
import { appMenu } from './app-menu.ts';
import { AGENT_CHANGED, WINDOW_ORIGIN } from './channels.ts';
import { setLevel, steer } from './commands.ts';
import { pathOfArguments, pathOfLink } from './deep-link.ts';
import { answerPage } from './ipc.ts';
import { lookAtLastLife } from './last-life.ts';
import { openShellLog } from './log.ts';
import { HIDDEN_ARGUMENT } from './login-item.ts';
import { newNotices, stoppedNotice, type Notice } from './notices.ts';
import { Power } from './power.ts';
import { Quit } from './quit.ts';
import { createSchemeHandler, PRIVILEGED_SCHEMES } from './scheme.ts';
import { refuseForeign, refusePermissions, trustCertificate } from './security.ts';
import { trayView, type TrayAction } from './tray-model.ts';
import { AppTray } from './tray.ts';
import { startUpdates } from './updater.ts';
import { KeptVault } from './vault.ts';
import { MainWindow } from './window.ts';

const PROTOCOL = 'local-browser-agent';
/** As Windows groups windows and shows notifications; the same as in electron-builder.yml. */
const APP_ID = 'io.github.local-browser-agent';
/** Where an agent is that was never told otherwise: the page may then be loaded while it starts. */
const USUAL_AGENT_URL = 'http://127.0.0.1:4590';

const home = defaultHome();
const ownFolder = join(home, 'desktop');
/** Nothing was ever kept here: a person sees this for the first time. */
const isFirstStart = !existsSync(homePaths(home).database);
const log = openShellLog(homePaths(home).logs);

process.on('uncaughtException', (error) => log.error({ err: error }, 'an error that nobody caught'));
process.on('unhandledRejection', (reason) => log.error({ err: reason }, 'a rejection that nobody caught'));

// In this order: the lock lies in the folder, and nothing of the data is touched without it.
mkdirSync(ownFolder, { recursive: true });
app.setPath('userData', ownFolder);
app.setName('Local Browser Agent');
app.setAppUserModelId(APP_ID);
if (app.requestSingleInstanceLock()) begin();
else app.quit();

function begin(): void {
  // It takes --no-sandbox back, without which no page starts as root.
  if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox();
  protocol.registerSchemesAsPrivileged(PRIVILEGED_SCHEMES);
  if (app.isPackaged) app.setAsDefaultProtocolClient(PROTOCOL);
  let wanted = pathOfArguments(process.argv);
  const early = (event: { preventDefault(): void }, url: string): void => {
    event.preventDefault();
    wanted = pathOfLink(url);
  };
  app.on('open-url', early);
  // The tray goes on without a window.
  app.on('window-all-closed', () => undefined);
  const open = async (): Promise<void> => {
    await app.whenReady();
    const show = await compose();
    app.off('open-url', early);
    const path = wanted ?? (isFirstStart ? '/setup' : undefined);
    if (path !== undefined || !process.argv.includes(HIDDEN_ARGUMENT)) show(path);
  };
  open().catch((thrown: unknown) => {
    log.error({ err: thrown }, 'the app could not start');
    app.exit(1);
  });
}

/** Everything, put together. @returns what shows the window */
async function compose(): Promise<(path?: string) => void> {
  const folder = app.getAppPath();
  const icons = join(folder, 'resources', 'icons');
  const lastLife = lookAtLastLife(join(ownFolder, 'running'));
  const vault = await KeptVault.open(safeStorage, join(home, 'vault.json'));
  log.info(
    { version: app.getVersion(), electron: process.versions.electron, vault: vault.protection },
    'the app starts',
  );

  let before: { connection: AgentConnection; snapshot: AgentSnapshot | null } = {
    connection: { state: 'starting' },
    snapshot: null,
  };
  let shownUrl = USUAL_AGENT_URL;
  const agentUrl = (): string => shownUrl;

  const agent = new AgentProcess({
    launch: (events) =>
      startChild(
        { entry: agentEntry(folder), appFolder: folder, runtime: forDebugging('LBA_AGENT_RUNTIME') },
        events,
      ),
    home,
    origin: WINDOW_ORIGIN,
    vault,
    log,
    onChange: () => render(),
    onSnapshot: () => render(),
  });
  const quit = new Quit({ agent, log });
  const releaseMs = forDebugging('LBA_WINDOW_RELEASE_MS');
  const window = new MainWindow({
    preload: join(folder, 'dist', 'electron', 'preload.cjs'),
    icon: join(icons, 'app.png'),
    version: app.getVersion(),
    stateFile: join(ownFolder, 'window.json'),
    isDebuggable: !app.isPackaged,
    ...(releaseMs === undefined ? {} : { releaseMs: Number(releaseMs) }),
    log,
    hides: () => !quit.hasBegun,
  });
  const tray = new AppTray({ folder: icons, log, act });
  const power = new Power({
    blocker: powerSaveBlocker,
    monitor: powerMonitor,
    onSuspend: () => agent.suspend(),
    onResume: () => agent.resume(),
  });
  const connection = (): AgentConnection => {
    const now = agent.connection;
    if (now.state !== 'ready' || lastLife.notice === null) return now;
    return { ...now, notice: lastLife.notice };
  };

  const security = { app, log, ownPage: () => window.contents, agentUrl };
  refuseForeign(security);
  refusePermissions(session.defaultSession, security);
  trustCertificate(session.defaultSession, () => agent.ready);
  protocol.handle(
    new URL(WINDOW_ORIGIN).protocol.slice(0, -1),
    createSchemeHandler({
      folder: join(folder, 'dist', 'renderer'),
      agentUrl,
      quitPage: () => quit.page(),
    }),
  );
  answerPage({ home, agent, connection, vault, ownPage: () => window.contents, log });
  Menu.setApplicationMenu(appMenu());
  agent.start();
  const updates = startUpdates({
    app,
    log,
    isAtRest: () => agent.snapshot?.runs.length === 0 && !window.isVisible,
  });

  app.on('second-instance', (_event, argv) => window.show(pathOfArguments(argv) ?? undefined));
  app.on('activate', () => window.show());
  app.on('open-url', (event, url) => {
    event.preventDefault();
    window.show(pathOfLink(url) ?? undefined);
  });
  app.on('before-quit', (event) => {
    window.hide();
    quit.onBeforeQuit(event, () => app.quit());
  });
  app.on('will-quit', () => {
    updates?.stop();
    tray.destroy();
    lastLife.endedWell();
    log.info({}, 'the app has ended');
  });
  // The system goes down: what can be told is told, the rest is taken up at the next start.
  powerMonitor.on('shutdown', () => {
    agent.stop({ deadlineMs: 0 }).catch((thrown: unknown) => {
      log.warn({ err: thrown }, 'the agent could not be stopped');
    });
  });
  return (path) => window.show(path);

  function render(): void {
    const after = { connection: agent.connection, snapshot: agent.snapshot };
    const { connection: now, snapshot } = after;
    if (now.state === 'ready' && now.url !== shownUrl) {
      // The page's policy names the address: the page is needed anew, and asks then.
      shownUrl = now.url;
      window.reload();
    } else if (now !== before.connection) {
      window.send(AGENT_CHANGED, connection());
    }
    tray.render(trayView(now, snapshot));
    power.keepAwake((snapshot?.runs.length ?? 0) > 0);
    const stopped = stoppedNotice(before.connection, now);
    const news = [...newNotices(before.snapshot, snapshot), ...(stopped ? [stopped] : [])];
    if (!window.isVisible) for (const notice of news) tell(notice);
    // A pause without a snapshot is none: what was known before the restart is no news after it.
    before = { connection: now, snapshot: snapshot ?? before.snapshot };
  }

  function tell({ title, body, path }: Notice): void {
    if (!Notification.isSupported()) return;
    const notification = new Notification({ title, body, icon: join(icons, 'app.png') });
    notification.on('click', () => window.show(path));
    notification.show();
  }

  function act(action: TrayAction): void {
    const done = perform(action);
    done?.catch((thrown: unknown) => {
      log.warn({ err: thrown, action: action.do }, 'the agent refused');
      tell({ title: 'That was not possible', body: messageOf(thrown), path: '/' });
    });
  }

  function perform(action: TrayAction): Promise<void> | undefined {
    switch (action.do) {
      case 'open':
        window.show(action.path);
        return undefined;
      case 'quit':
        app.quit();
        return undefined;
      case 'start':
        agent.start();
        return undefined;
      case 'level':
        return setLevel(agent, action.level);
      case 'pause':
      case 'resume':
      case 'drain':
        return steer(agent, action.do);
      default:
        return action satisfies never;
    }
  }
}

/** What was compiled of agent/desktop.ts; from source only where somebody debugs. */
function agentEntry(folder: string): string {
  return forDebugging('LBA_AGENT_ENTRY') ?? join(folder, 'dist', 'agent', 'desktop.js');
}

/** An installed app runs what was installed, whatever its environment says. */
function forDebugging(name: string): string | undefined {
  return app.isPackaged ? undefined : process.env[name];
}
