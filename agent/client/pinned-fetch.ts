/**
 * `fetch` to a server with exactly this certificate. The agent's is the owner's own: no authority needs to
 * vouch for it, and its names need not fit the address, because the certificate itself was read where the
 * key was.
 */
import { X509Certificate } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { buffer } from 'node:stream/consumers';

/** An agent on this machine answers within this, or hangs, in milliseconds. */
const TIMEOUT_MS = 30_000;

/** @param certificate PEM; the first in it is the server's own */
export function pinnedFetch(certificate: string): (request: Request) => Promise<Response> {
  const { fingerprint256 } = new X509Certificate(certificate);
  return async (request) => {
    const body = request.body ? await buffer(Readable.fromWeb(request.body as ReadableStream)) : undefined;
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const sent = httpsRequest(
      request.url,
      {
        method: request.method,
        headers: {
          ...Object.fromEntries(request.headers),
          ...(body ? { 'content-length': String(body.length) } : {}),
        },
        timeout: TIMEOUT_MS,
        signal: request.signal,
        ca: certificate,
        // It need not be signed by itself.
        allowPartialTrustChain: true,
        checkServerIdentity: (_name, shown) =>
          shown.fingerprint256 === fingerprint256
            ? undefined
            : new Error('the server there shows another certificate than the agent of this data directory'),
      },
      (answer) => {
        const status = answer.statusCode ?? 0;
        const headers = new Headers();
        for (const [name, values] of Object.entries(answer.headersDistinct)) {
          for (const value of values ?? []) headers.append(name, value);
        }
        const isEmpty = status === 204 || status === 304;
        if (isEmpty) answer.resume();
        resolve(
          new Response(isEmpty ? null : (Readable.toWeb(answer) as unknown as BodyInit), { status, headers }),
        );
      },
    );
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS / 1_000} s`)));
    sent.on('error', reject);
    sent.end(body);
    return promise;
  };
}
