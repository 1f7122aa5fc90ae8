/** What of a user data directory was not carried to another one: counts by kind, and words for them. */

export const LEFT_OUT_KINDS = [
  'components',
  'extensions',
  'service_workers',
  'passwords_and_history',
  'site_files',
  'preferences',
  'caches_and_logs',
  'other',
] as const;
export type LeftOutKind = (typeof LEFT_OUT_KINDS)[number];

export interface LeftOutCount {
  kind: LeftOutKind;
  /** Files; of `preferences` also keys of files that are carried. */
  count: number;
}

export class LeftOut {
  readonly #counts = new Map<LeftOutKind, number>();

  /** @param path relative to the user data directory, with `/` between its parts */
  addFile(path: string): void {
    this.add(kindOf(path), 1);
  }

  add(kind: LeftOutKind, count: number): void {
    if (count > 0) this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + count);
  }

  /** In the order of {@link LEFT_OUT_KINDS}; kinds without any are not listed. */
  list(): LeftOutCount[] {
    return LEFT_OUT_KINDS.flatMap((kind) => {
      const count = this.#counts.get(kind);
      return count === undefined ? [] : [{ kind, count }];
    });
  }
}

const NOUNS: Readonly<Record<LeftOutKind, readonly [one: string, many: string]>> = {
  components: ['file of browser components', 'files of browser components'],
  extensions: ['file of extensions', 'files of extensions'],
  service_workers: ['file of service workers', 'files of service workers'],
  passwords_and_history: ['file of passwords and history', 'files of passwords and history'],
  site_files: ['other file of sites', 'other files of sites'],
  preferences: ['preference', 'preferences'],
  caches_and_logs: ['file of caches and logs', 'files of caches and logs'],
  other: ['other file', 'other files'],
};

/** e.g. `Left out: 2 files of extensions, 180 preferences.`; empty when nothing was left out. */
export function leftOutMessage(counts: readonly LeftOutCount[]): string {
  if (counts.length === 0) return '';
  const parts = counts.map(({ kind, count }) => `${count} ${NOUNS[kind][count === 1 ? 0 : 1]}`);
  return `Left out: ${parts.join(', ')}.`;
}

/** The first that matches wins. Names as found in directories of Chromium 156. */
const KINDS: readonly (readonly [LeftOutKind, RegExp])[] = [
  ['extensions', /(?:^|\/)(?:Extensions|External Extensions|[^/]*Extension [^/]*)(?:\/|$)/],
  ['service_workers', /^[^/]+\/Service Worker\//],
  [
    'caches_and_logs',
    /(?:^|\/)(?:[^/]*Cache|Crashpad|Crash Reports|BrowserMetrics[^/]*|component_crx_cache|extensions_crx_cache|LOG|LOG\.old|LOCK|Singleton\w+|lockfile|DevToolsActivePort)(?:\/|$)/,
  ],
  ['site_files', /^[^/]+\/(?:File System|WebStorage|databases|Session Storage|Local Storage|IndexedDB)\//],
  [
    'passwords_and_history',
    /^[^/]+\/(?:Login Data|Account Web Data|Web Data|History|Favicons|Top Sites|Visited Links|Shortcuts|Bookmarks|Sessions|Sessions_Encrypted)/,
  ],
  ['preferences', /(?:^|\/)(?:Preferences|Secure Preferences|Local State)$/],
  // A directory beside the profile belongs to the browser: its component updater puts libraries there.
  ['components', /^(?!Default\/|Profile \d+\/)[^/]+\//],
];

function kindOf(path: string): LeftOutKind {
  return KINDS.find(([, pattern]) => pattern.test(path))?.[0] ?? 'other';
}
