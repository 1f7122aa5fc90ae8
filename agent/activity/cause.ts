/** Cuts the cause of a failed task to what SendTaskFailure takes, as JSON that stays valid and keeps its keys. */
import type { JsonObject, JsonValue } from '../base/words.ts';

/** SendTaskFailure's `cause`, in characters (API reference). */
export const CAUSE_MAX_CHARS = 32_768;
/** SendTaskFailure's `error`, in characters (API reference). */
export const ERROR_NAME_MAX_CHARS = 256;

/** Strings and lists are cut harder and harder until the whole fits; the last row always fits. */
const CUTS = [
  { stringChars: 8_000, items: 200 },
  { stringChars: 2_000, items: 50 },
  { stringChars: 500, items: 20 },
  { stringChars: 200, items: 8 },
  { stringChars: 80, items: 3 },
];

/** Keys that stay, cut to this, when even the hardest cut of everything is too long. */
const LAST_RESORT = { keys: ['run_id', 'step', 'name', 'action', 'message', 'url'], stringChars: 1_000 };

export function causeText(cause: JsonObject): string {
  const whole = JSON.stringify(cause);
  if (whole.length <= CAUSE_MAX_CHARS) return whole;
  for (const cut of CUTS) {
    const text = JSON.stringify({ ...(shrink(cause, cut) as JsonObject), cut_from_chars: whole.length });
    if (text.length <= CAUSE_MAX_CHARS) return text;
  }
  const kept: JsonObject = {};
  for (const key of LAST_RESORT.keys) {
    const value = cause[key];
    if (typeof value === 'string') kept[key] = cutString(value, LAST_RESORT.stringChars);
    else if (typeof value === 'number') kept[key] = value;
  }
  return JSON.stringify({ ...kept, cut_from_chars: whole.length });
}

export function errorNameText(name: string): string {
  return name.slice(0, ERROR_NAME_MAX_CHARS).toWellFormed() || 'BrowserAgent.Internal';
}

function shrink(value: JsonValue, cut: { stringChars: number; items: number }): JsonValue {
  if (typeof value === 'string') return cutString(value, cut.stringChars);
  if (Array.isArray(value)) {
    const kept = value.slice(0, cut.items).map((item) => shrink(item, cut));
    return value.length > cut.items ? [...kept, `… and ${value.length - cut.items} more`] : kept;
  }
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value);
  const kept = entries
    .slice(0, cut.items)
    .map(([key, item]) => [cutString(key, cut.stringChars), shrink(item, cut)]);
  return Object.fromEntries(kept) as JsonObject;
}

function cutString(text: string, chars: number): string {
  // Control characters take six characters each in JSON: count what is sent, not what is seen.
  if (JSON.stringify(text).length <= chars + 2) return text;
  let kept = text.slice(0, chars);
  while (JSON.stringify(kept).length > chars + 2) kept = kept.slice(0, Math.floor(kept.length / 2));
  return `${kept.toWellFormed()}… (${text.length} characters)`;
}
