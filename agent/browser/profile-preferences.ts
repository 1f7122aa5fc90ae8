/**
 * The preferences of a browser that the agent carries from one profile to another: named keys, each with its type,
 * written as a fresh file. All others stay behind. Among them are proxies, start pages, extensions, download
 * folders, protocol handlers, accepted certificates and experiments.
 */
import { z } from 'zod';

/** The part of a checked file that is written. */
export interface Kept {
  content: Buffer;
  /** How many of its keys stay behind. */
  leftOut: number;
}

/** Longer ones do not fit into an `Accept-Language` header. */
const MAX_LANGUAGES = 200;
const languages = z
  .string()
  .max(MAX_LANGUAGES)
  .regex(/^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*(?:,[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*)*$/);

/** A key that the operating system encrypted; longer than any that Chromium writes. */
const MAX_SEALED_KEY = 8_192;
const sealedKey = z.base64().max(MAX_SEALED_KEY);

/** `ContentSetting` in Chromium: allow, block, for the session only. */
const cookieSetting = z.union([z.literal(1), z.literal(2), z.literal(4)]);
/** Two patterns of sites, e.g. `[*.]portal.example,*`. */
const sitePatterns = z
  .string()
  .max(1_000)
  .regex(/^[A-Za-z0-9.*:/[\]_-]+,[A-Za-z0-9.*:/[\]_-]+$/);

/** Keys of `Default/Preferences`, with what would be lost without them. */
const PREFERENCES: Readonly<Record<string, z.ZodType>> = {
  // Portals choose the language of their pages by these.
  'intl.accept_languages': languages,
  'intl.selected_languages': languages,
  // Whether a PDF is a download or a page.
  'plugins.always_open_pdf_externally': z.boolean(),
  // Sign-ins in frames of another site need its cookies.
  'profile.block_third_party_cookies': z.boolean(),
  'profile.cookie_controls_mode': z.int().min(0).max(2),
  'profile.content_settings.exceptions.cookies': z.record(sitePatterns, z.object({ setting: cookieSetting })),
  // With 1 the browser keeps cookies without an expiry. Other values open pages.
  'session.restore_on_startup': z.literal(1),
};

/** Keys of `Local State`: on Windows what encrypts the cookies, itself encrypted by the operating system. */
const LOCAL_STATE: Readonly<Record<string, z.ZodType>> = {
  'os_crypt.encrypted_key': sealedKey,
  'os_crypt.app_bound_encrypted_key': sealedKey,
  'os_crypt.audit_enabled': z.boolean(),
};

export function keptPreferences(content: Buffer): Kept {
  return kept(content, PREFERENCES);
}

export function keptLocalState(content: Buffer): Kept {
  return kept(content, LOCAL_STATE);
}

/** Of what is no JSON object nothing is kept. */
function kept(content: Buffer, keys: Readonly<Record<string, z.ZodType>>): Kept {
  const all = readObject(content);
  const written: Tree = {};
  let count = 0;
  for (const [key, type] of Object.entries(keys)) {
    const path = key.split('.');
    const parsed = type.safeParse(valueAt(all, path));
    if (!parsed.success) continue;
    put(written, path, parsed.data);
    count += leavesOf(parsed.data);
  }
  return {
    content: Buffer.from(JSON.stringify(written)),
    leftOut: Math.max(0, leavesOf(all) - count),
  };
}

interface Tree {
  [key: string]: unknown;
}

function readObject(content: Buffer): Tree {
  try {
    const value: unknown = JSON.parse(content.toString('utf8'));
    return isTree(value) ? value : {};
  } catch {
    return {};
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function valueAt(tree: Tree, path: readonly string[]): unknown {
  let value: unknown = tree;
  for (const key of path) value = isTree(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return value;
}

/** `path` is from the tables above. */
function put(tree: Tree, path: readonly string[], value: unknown): void {
  let at = tree;
  for (const key of path.slice(0, -1)) at = (at[key] ??= {}) as Tree;
  at[path.at(-1)!] = value;
}

/** Values that are no objects, lists counting as one. Not recursive: a strange file may be nested without end. */
function leavesOf(value: unknown): number {
  const waiting = [value];
  let count = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (isTree(next)) for (const below of Object.values(next)) waiting.push(below);
    else count += 1;
  }
  return count;
}
