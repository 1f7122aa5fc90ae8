/** The bridge: one function for each thing that the page may ask for, and nothing else of Electron's. */
import { contextBridge, ipcRenderer } from 'electron';
import type { Bridge } from '../renderer/src/bridge.ts';
import { AGENT_CHANGED, CHANNELS, NAVIGATE, VERSION_ARGUMENT } from './channels.ts';

const version = process.argv.find((argument) => argument.startsWith(VERSION_ARGUMENT)) ?? '';

const bridge: Bridge = {
  platform: process.platform,
  version: version.slice(VERSION_ARGUMENT.length),
  agent: () => ipcRenderer.invoke(CHANNELS.agent),
  onAgentChange: (listener) => follow(AGENT_CHANGED, listener),
  onNavigate: (listener) => follow(NAVIGATE, listener),
  restartAgent: () => ipcRenderer.invoke(CHANNELS.restartAgent),
  openFolder: (folder) => ipcRenderer.invoke(CHANNELS.openFolder, folder),
  openExternal: (url) => ipcRenderer.invoke(CHANNELS.openExternal, url),
  saveFile: (file) => ipcRenderer.invoke(CHANNELS.saveFile, file),
  getLoginItem: () => ipcRenderer.invoke(CHANNELS.getLoginItem),
  setLoginItem: (isOn) => ipcRenderer.invoke(CHANNELS.setLoginItem, isOn),
  vault: () => ipcRenderer.invoke(CHANNELS.vault),
};

contextBridge.exposeInMainWorld('localBrowserAgent', bridge);

/** The page never sees the event: it would give it the sender. */
function follow(channel: string, listener: (message: never) => void): () => void {
  const onMessage = (_event: unknown, message: unknown): void => listener(message as never);
  ipcRenderer.on(channel, onMessage);
  return () => {
    ipcRenderer.off(channel, onMessage);
  };
}
