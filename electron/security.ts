/**
 * What no page may do here, whichever it is and however it came: held for every web contents once, where it
 * is made. docs/security.md says which item of Electron's checklist is held where.
 */
import type { App, Session, WebContents } from 'electron';
import { WINDOW_ORIGIN } from './channels.ts';
import type { ShellLog } from './log.ts';
import { LIVE_PATH } from './scheme.ts';

/** So that the page may call the agent on loopback: Chromium 142 and later ask. Older names included. */
const OWN_PERMISSIONS: ReadonlySet<string> = new Set([
  'local-network-access',
  'loopback-network',
  // Writing text for the Copy buttons, at a click; reading is refused.
  'clipboard-sanitized-write',
]);

export interface SecurityOptions {
  app: App;
  log: ShellLog;
  /** The main window's page; null: there is none. */
  ownPage: () => WebContents | null;
  agentUrl: () => string | null;
}

/** Before the first page. */
export function refuseForeign({ app, log, agentUrl }: SecurityOptions): void {
  app.on('web-contents-created', (_event, contents) => {
    const refused = (what: string, url: string): void => log.warn({ url: hostOf(url) }, `refused: ${what}`);
    contents.setWindowOpenHandler(({ url }) => {
      refused('a new window', url);
      return { action: 'deny' };
    });
    contents.on('will-navigate', (event, url) => {
      event.preventDefault();
      refused('leaving the page', url);
    });
    contents.on('will-redirect', (event, url, _inPlace, isMainFrame) => {
      if (isMainFrame) {
        event.preventDefault();
        refused('a redirect', url);
      }
    });
    contents.on('will-frame-navigate', (event) => {
      if (event.isMainFrame || isLivePage(event.url, agentUrl())) return;
      event.preventDefault();
      refused('a frame', event.url);
    });
    contents.on('will-attach-webview', (event) => {
      event.preventDefault();
      refused('a webview', '');
    });
  });
}

/** For every session that a page could have: this app has one. */
export function refusePermissions(session: Session, { log, ownPage }: SecurityOptions): void {
  const isAllowed = (contents: WebContents | null, permission: string, origin: string): boolean =>
    contents !== null &&
    contents === ownPage() &&
    originOf(origin) === WINDOW_ORIGIN &&
    OWN_PERMISSIONS.has(permission);
  session.setPermissionRequestHandler((contents, permission, answer, details) => {
    const isGranted = isAllowed(contents, permission, details.requestingUrl);
    if (!isGranted) log.warn({ permission, url: hostOf(details.requestingUrl) }, 'refused: a permission');
    answer(isGranted);
  });
  session.setPermissionCheckHandler((contents, permission, origin) =>
    isAllowed(contents, permission, origin),
  );
  session.setDevicePermissionHandler(() => false);
}

/** The agent may have a certificate of its own: trusted is exactly the one that it told us, at its address. */
export function trustCertificate(
  session: Session,
  agent: () => { url: string; certificate: string | null } | null,
): void {
  session.setCertificateVerifyProc(({ hostname, certificate }, answer) => {
    const known = agent();
    const isAgents =
      known?.certificate !== null &&
      known !== null &&
      new URL(known.url).hostname === hostname &&
      bare(known.certificate).startsWith(bare(certificate.data));
    // 0: good; -3: as Chromium itself finds it.
    answer(isAgents ? 0 : -3);
  });
}

/** As the scheme has no origin for the URL class. */
export function originOf(address: string): string {
  try {
    const { protocol, host } = new URL(address);
    return `${protocol}//${host}`;
  } catch {
    return '';
  }
}

function isLivePage(url: string, agentUrl: string | null): boolean {
  return agentUrl !== null && url.startsWith(new URL(LIVE_PATH, agentUrl).href);
}

/** A log needs no paths, and no keys that may be in them. */
function hostOf(url: string): string {
  return originOf(url);
}

function bare(pem: string): string {
  return pem.replaceAll(/\s/g, '');
}
