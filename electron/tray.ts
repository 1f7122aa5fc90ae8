/** The tray icon, drawn from one view: several things change it, one function renders it. */
import { join } from 'node:path';
import { Menu, nativeImage, Tray, type MenuItemConstructorOptions, type NativeImage } from 'electron';
import type { ShellLog } from './log.ts';
import { type TrayAction, type TrayItem, type TrayState, type TrayView } from './tray-model.ts';

export interface AppTrayOptions {
  /** Where the icons are. */
  folder: string;
  log: ShellLog;
  act: (action: TrayAction) => void;
}

export class AppTray {
  readonly #options: AppTrayOptions;
  readonly #icons = new Map<TrayState, NativeImage>();
  #tray: Tray | null = null;
  #last = '';

  constructor(options: AppTrayOptions) {
    this.#options = options;
  }

  render(view: TrayView): void {
    const text = JSON.stringify(view);
    if (text === this.#last) return;
    this.#last = text;
    try {
      this.#tray ??= this.#make(view);
      this.#tray.setImage(this.#icon(view.state));
      this.#tray.setToolTip(view.tip);
      this.#tray.setContextMenu(Menu.buildFromTemplate(view.menu.map((item) => this.#template(item))));
    } catch (thrown) {
      // A desktop without a tray: a second start shows the window.
      this.#options.log.warn({ err: thrown }, 'there is no tray');
    }
  }

  destroy(): void {
    this.#tray?.destroy();
    this.#tray = null;
  }

  #make({ state }: TrayView): Tray {
    const tray = new Tray(this.#icon(state));
    // Elsewhere a click opens the menu.
    if (process.platform === 'win32') tray.on('click', () => this.#options.act({ do: 'open' }));
    return tray;
  }

  #icon(state: TrayState): NativeImage {
    const known = this.#icons.get(state);
    if (known) return known;
    // macOS colours a template image itself, dark or light.
    const isTemplate = process.platform === 'darwin';
    const name = `tray-${state}${isTemplate ? 'Template' : ''}.png`;
    const image = nativeImage.createFromPath(join(this.#options.folder, name));
    image.setTemplateImage(isTemplate);
    this.#icons.set(state, image);
    return image;
  }

  #template(item: TrayItem): MenuItemConstructorOptions {
    if (item.kind === 'separator') return { type: 'separator' };
    if (item.kind === 'menu') {
      return { label: item.label, submenu: item.items.map((each) => this.#template(each)) };
    }
    const { action, isChecked } = item;
    return {
      label: item.label,
      enabled: action !== undefined,
      ...(isChecked === undefined ? {} : { type: 'radio', checked: isChecked }),
      ...(action ? { click: () => this.#options.act(action) } : {}),
    };
  }
}
