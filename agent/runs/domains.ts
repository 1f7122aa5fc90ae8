/**
 * What both lists of domains allow: the script's and the machine owner's. Null: no list, everything.
 * Patterns are host names, or `*.example.com` for every subdomain.
 */
export function intersectDomains(a: readonly string[] | null, b: readonly string[] | null): string[] | null {
  if (a === null || b === null) return a === null ? (b === null ? null : [...b]) : [...a];
  const both = [
    ...a.filter((domain) => b.some((other) => covers(other, domain))),
    ...b.filter((domain) => a.some((other) => covers(other, domain))),
  ];
  return [...new Set(both.map((domain) => domain.toLowerCase()))];
}

function covers(pattern: string, domain: string): boolean {
  const wide = pattern.toLowerCase();
  const narrow = domain.toLowerCase();
  if (wide === narrow) return true;
  return wide.startsWith('*.') && narrow.replace(/^\*/, '').endsWith(wide.slice(1));
}
