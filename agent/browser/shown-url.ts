/** Address without user, password, query and fragment, which may hold tokens. */
export function shownUrl(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url);
    return protocol === 'about:' || protocol === 'data:'
      ? protocol + pathname.slice(0, 20)
      : `${protocol}//${host}${pathname}`;
  } catch {
    return url.slice(0, 200);
  }
}
