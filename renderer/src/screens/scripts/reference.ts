/** How stored scripts are named: `name` or `name@version`. */

const NAME = /^\w[\w .-]{0,127}$/;
const VERSION = /^\w[\w.-]{0,63}$/;

/** @returns what is wrong with it, or null */
export function complaintAboutName(name: string): string | null {
  if (name.trim() === '') return 'A script needs a name to be found again.';
  if (NAME.test(name) && !/\.json$|[ .]$/i.test(name)) return null;
  return 'Use letters, digits, spaces, "_", "." and "-", with a letter or digit first and last.';
}

/** @returns what is wrong with it, or null; an empty one is none */
export function complaintAboutVersion(version: string): string | null {
  if (version === '' || (VERSION.test(version) && !/\.json$|\.$/i.test(version))) return null;
  return 'Use letters, digits, "_", "." and "-", e.g. 1.2.';
}

export function referenceOf(name: string, version: string): string {
  return version === '' ? name : `${name}@${version}`;
}

/** A name to begin with, from the name that stands in the script. */
export function suggestedName(title: string): string {
  return title
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[^\w]+/g, '-')
    .replace(/^[-_]+|[-_]+$/g, '')
    .slice(0, 100);
}

export function editPath(reference: string): string {
  return `/scripts/edit/${encodeURIComponent(reference)}`;
}
