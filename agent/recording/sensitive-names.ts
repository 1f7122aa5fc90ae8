/** Names of fields and headers whose values are credentials, whoever sent them. */
const SECRET_KEY =
  /passw(or)?d|passwd|passphrase|^pwd$|^pass$|secret|token|api[-_]?key|authorization|^auth$|credential|private[-_]?key|^otp$|one[-_]?time|^pin$|^cvv$|^cvc$|csrf|xsrf|session[-_]?id|^sid$|^jwt$|^code_verifier$|^assertion$|samlresponse/i;

/** Headers that carry credentials (RFC 9110, RFC 6265, and the usual private ones). */
const SECRET_HEADER =
  /^(cookie|set-cookie|authorization|proxy-authorization|authentication-info|x-api-key|api-key|x-auth-token|x-csrf-token|x-xsrf-token|x-amz-security-token|x-goog-iap-jwt-assertion)$/i;

export function isSecretKey(name: string): boolean {
  return SECRET_KEY.test(name);
}

export function isSecretHeader(name: string): boolean {
  return SECRET_HEADER.test(name) || SECRET_KEY.test(name);
}
