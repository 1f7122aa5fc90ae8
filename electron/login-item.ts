/** Start at login: off until a person turns it on. Linux has no call for it but a folder of desktop entries. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { App, LoginItemSettings } from 'electron';
import type { LoginItem } from '../renderer/src/bridge.ts';

/** Started at login, the app stays in the tray. */
export const HIDDEN_ARGUMENT = '--hidden';

/** What setter and getter must be given alike: Windows compares it. */
const args = [HIDDEN_ARGUMENT];

export function getLoginItem(app: App): LoginItem {
  if (!app.isPackaged) {
    return { isOn: false, problem: 'Only the installed app can start at login.', isSettable: false };
  }
  if (process.platform === 'linux') {
    return { isOn: existsSync(entryPath()), problem: '', isSettable: true };
  }
  const found: LoginItemSettings = app.getLoginItemSettings({ args });
  const isOn = found.openAtLogin;
  return { isOn, problem: isOn ? problemOf(found) : '', isSettable: true };
}

export function setLoginItem(app: App, isOn: boolean): LoginItem {
  if (!app.isPackaged) return getLoginItem(app);
  if (process.platform === 'linux') setEntry(app, isOn);
  else app.setLoginItemSettings({ openAtLogin: isOn, args });
  return getLoginItem(app);
}

function problemOf(found: LoginItemSettings): string {
  if (process.platform === 'win32' && !found.executableWillLaunchAtLogin) {
    return 'It is turned off in the Task Manager of Windows, under Startup apps. Turn it on there.';
  }
  if (process.platform === 'darwin' && found.status === 'requires-approval') {
    return 'macOS asks you to allow it: System Settings, General, Login Items.';
  }
  return '';
}

function setEntry(app: App, isOn: boolean): void {
  const path = entryPath();
  if (!isOn) {
    rmSync(path, { force: true });
    return;
  }
  // An AppImage runs from a folder that is another one each time.
  const program = process.env['APPIMAGE'] ?? process.execPath;
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(
    path,
    `[Desktop Entry]\nType=Application\nName=${app.getName()}\nExec="${program.replaceAll(/["\\`$]/g, String.raw`\$&`)}" ${HIDDEN_ARGUMENT}\nX-GNOME-Autostart-enabled=true\n`,
  );
}

function entryPath(): string {
  const config = process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config');
  return join(config, 'autostart', 'local-browser-agent.desktop');
}
