import type { JsonObject, JsonValue } from './words.ts';

/** What stands in place of a value. */
export const MASK = '[masked]';

const CREDENTIAL_NAME =
  /passw(or)?d|passphrase|^pwd$|^pass$|secret|token|api[-_]?key|authorization|^auth$|credential|private[-_]?key|^otp$|^pin$|^cvv$|^cvc$/i;

/** Whether values of fields with this name are credentials, in any text. */
export function isCredentialName(name: string): boolean {
  return CREDENTIAL_NAME.test(name);
}

/** Parameters of addresses whose values are credentials. */
const SECRET_PARAMETER = String.raw`x-amz-(?:signature|credential|security-token)|signature|access_token|refresh_token|id_token|token|api[-_]?key|password|secret|code`;

/** Things that are credentials by their very form. */
const SECRET_FORMS: readonly { pattern: RegExp; by: string }[] = [
  // An AWS access key id: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
  { pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, by: MASK },
  // A word after "bearer" may be one of a sentence: a token has a digit in it, or is long.
  { pattern: /\b([Bb]earer) (?=[\w.~+/=-]*\d|[\w.~+/=-]{20})[\w.~+/=-]{8,}/g, by: `$1 ${MASK}` },
  { pattern: /\b(Basic) [A-Za-z0-9+/]{12,}={0,2}/g, by: `$1 ${MASK}` },
  // user:password@ in an address. Begins at the colon: looking for schemes takes twenty times as long.
  { pattern: /:\/\/[^\s/?#@"'<>\\]+@/g, by: `://${MASK}@` },
  // Signed addresses and tokens in queries, also as they stand in HTML and JSON, and in an address within one.
  {
    // oxlint-disable-next-line no-restricted-globals -- of constants
    pattern: new RegExp(
      String.raw`((?:[?&#]|&amp;|\\u0026)(?:${SECRET_PARAMETER})=)(?!\[masked\])[^&\s"'<>#\\]+`,
      'gi',
    ),
    by: `$1${MASK}`,
  },
  {
    // oxlint-disable-next-line no-restricted-globals -- of constants
    pattern: new RegExp(
      String.raw`((?:%3f|%26|%23)(?:${SECRET_PARAMETER})%3d)(?!\[masked\])(?:(?!%26|%23)[^&\s"'<>#\\])+`,
      'gi',
    ),
    by: `$1${MASK}`,
  },
];

/** Each of the forms has one of these in it: most texts have none, and one look is a sixth of six. */
const HINT = /[=@]|%3d|AKIA|ASIA|earer |Basic /i;

/** Takes out of a text what is a credential by its form. */
export function maskText(text: string): string {
  if (!HINT.test(text)) return text;
  let masked = text;
  for (const { pattern, by } of SECRET_FORMS) masked = masked.replace(pattern, by);
  return masked;
}

/** The same in place, for what a run says of itself: an address and a message. What it was asked for stays. */
export function maskFacts(facts: { url?: unknown; error?: { message: string } | null | undefined }): void {
  if (typeof facts.url === 'string') facts.url = maskText(facts.url);
  if (facts.error) facts.error = { ...facts.error, message: maskText(facts.error.message) };
}

/** Takes credentials out of JSON: by the name of the field, and by their form. */
export function maskSensitive<T extends JsonValue>(value: T): T {
  const visit = (node: JsonValue): JsonValue => {
    if (typeof node === 'string') return maskText(node);
    if (Array.isArray(node)) return node.map(visit);
    if (node === null || typeof node !== 'object') return node;
    const masked: JsonObject = {};
    for (const [name, child] of Object.entries(node)) {
      masked[maskText(name)] = isSecretField(name) && holdsText(child) ? MASK : visit(child);
    }
    return masked;
  };
  return visit(value) as T;
}

function isSecretField(name: string): boolean {
  return isCredentialName(name) || /cookie/i.test(name);
}

/** `token: true` says that there is one, and is no secret; nor are counts. */
function holdsText(value: JsonValue): boolean {
  return typeof value === 'string' || (typeof value === 'object' && value !== null);
}
