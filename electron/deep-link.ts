/** `local-browser-agent://run/ID`: a link in a mail or a ticket that opens a run here. */

const PROTOCOL = 'local-browser-agent:';
/** As run ids are made. */
const RUN_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** @returns the page's path, e.g. `/runs/ID`; null: it is no such link */
export function pathOfLink(text: string): string | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  if (url.protocol !== PROTOCOL || url.hostname !== 'run') return null;
  const id = url.pathname.replace(/^\/|\/$/g, '');
  return RUN_ID.test(id) ? `/runs/${id}` : null;
}

/** The first such link of a command line: how Windows and Linux hand it over. */
export function pathOfArguments(argv: readonly string[]): string | null {
  for (const argument of argv) {
    const path = pathOfLink(argument);
    if (path !== null) return path;
  }
  return null;
}
