import { isCredentialName } from '../base/mask-sensitive.ts';

/** Further names of fields and headers of sites whose values are credentials. */
const OF_SITES =
  /one[-_]?time|csrf|xsrf|session[-_]?id|^sid$|^jwt$|^code_verifier$|^assertion$|samlresponse/i;

/** Headers that carry credentials (RFC 9110, RFC 6265, and the usual private ones). */
const SECRET_HEADER =
  /^(cookie|set-cookie|authorization|proxy-authorization|authentication-info|x-api-key|api-key|x-auth-token|x-csrf-token|x-xsrf-token|x-amz-security-token|x-goog-iap-jwt-assertion)$/i;

export function isSecretKey(name: string): boolean {
  return isCredentialName(name) || OF_SITES.test(name);
}

export function isSecretHeader(name: string): boolean {
  return SECRET_HEADER.test(name) || isSecretKey(name);
}
