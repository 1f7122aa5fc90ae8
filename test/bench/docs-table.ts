/** Puts what was measured into the docs, so that no number there is copied by hand. */
import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Replaces the table between `<!-- begin: measured by npm run bench -- PART -->` and `<!-- end: measured -->`
 * in a page of docs/. @throws when the marks are not there
 */
export function writeTable(part: string, table: string, page = 'recording-levels.md'): void {
  const file = new URL(`../../docs/${page}`, import.meta.url);
  const begin = `<!-- begin: measured by npm run bench -- ${part} -->`;
  const end = '<!-- end: measured -->';
  const text = readFileSync(file, 'utf8');
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`docs/${page} has no ${begin} … ${end}`);
  writeFileSync(file, `${text.slice(0, from)}${begin}\n${table}\n${text.slice(to)}`);
}
