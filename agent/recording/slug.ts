/** Longer names say no more in a list of files, and paths are limited on Windows. */
const MAX_SLUG_CHARACTERS = 40;

/** A name as part of a file name and S3 key: lower-case ASCII letters, digits and hyphens. */
export function slug(name: string, fallback: string): string {
  const plain = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/ß/g, 'ss')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_SLUG_CHARACTERS)
    .replace(/^-+|-+$/g, '');
  return plain || fallback;
}

/** `steps/003-search`: sorts as the run went, also above 999 steps within each group of digits. */
export function stepKey(step: { stepNumber: number; name: string; action: string }): string {
  return `steps/${String(step.stepNumber).padStart(3, '0')}-${slug(step.name, slug(step.action, 'step'))}`;
}
