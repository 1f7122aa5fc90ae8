import { CREDENTIAL_NAME } from '../base/mask-sensitive.ts';

/** Names of fields and headers whose values are credentials, with those that sites send. */
const SECRET_KEY = new RegExp(
  `${CREDENTIAL_NAME}|one[-_]?time|csrf|xsrf|session[-_]?id|^sid$|^jwt$|^code_verifier$|^assertion$|samlresponse`,
  'i',
);

/** Headers that carry credentials (RFC 9110, RFC 6265, and the usual private ones). */
const SECRET_HEADER =
  /^(cookie|set-cookie|authorization|proxy-authorization|authentication-info|x-api-key|api-key|x-auth-token|x-csrf-token|x-xsrf-token|x-amz-security-token|x-goog-iap-jwt-assertion)$/i;

export function isSecretKey(name: string): boolean {
  return SECRET_KEY.test(name);
}

export function isSecretHeader(name: string): boolean {
  return SECRET_HEADER.test(name) || SECRET_KEY.test(name);
}
