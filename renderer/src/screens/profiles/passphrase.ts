/** Passphrases of exported profiles, as the agent asks for them. */

/** Shorter ones can be tried out. */
const MIN_CHARACTERS = 8;

/** @returns what is wrong with it, or null */
export function complaintAboutPassphrase(passphrase: string): string | null {
  return passphrase.length < MIN_CHARACTERS ? `It needs at least ${MIN_CHARACTERS} characters.` : null;
}

/** For the header of a request, which holds ASCII alone: UTF-8 as base64. */
export function passphraseHeader(passphrase: string): string {
  return btoa(String.fromCodePoint(...new TextEncoder().encode(passphrase)));
}
