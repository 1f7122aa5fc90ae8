/**
 * A script's regular expression as JavaScript's. Scripts of the earlier program were read by Python, so
 * its leading flags (`(?i)`), named groups (`(?P<name>…)`) and anchors (`\A`, `\Z`) are understood.
 *
 * `more`: further flags. Throws SyntaxError when it is none.
 */
export function compilePattern(pattern: string, more = ''): RegExp {
  const flags = /^\(\?([ims]+)\)/.exec(pattern);
  const body = pattern
    .slice(flags?.[0].length ?? 0)
    .replaceAll('(?P<', '(?<')
    .replaceAll(/\\([\\AZ])/g, (whole, char: string) => (char === 'A' ? '^' : char === 'Z' ? '$' : whole));
  return new RegExp(body, [...new Set(`${flags?.[1] ?? ''}${more}`.split(''))].join(''));
}
