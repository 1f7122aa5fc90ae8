/** Reading requests and writing answers of AWS's protocols, without knowing any service. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isLoopback } from '../base/loopback.ts';
import { escapeXml, ServiceError } from './errors.ts';

/** A definition may have 1 MiB and its JSON string escapes may double it. */
const MAX_JSON_BYTES = 4 * 1_048_576;

/** What a signature names: who signed, for which region and which service. */
export interface Signature {
  accessKeyId: string;
  /** Empty where it names none. */
  region: string;
  /** As IAM names it; empty where it names none. */
  service: string;
}

/** Of the header or, in a presigned URL, of the query; undefined without a signature. Nothing is verified. */
export function signatureOf({ headers }: IncomingMessage, url: URL): Signature | undefined {
  const header = /Credential=([^,\s]+)/.exec(headers.authorization ?? '')?.[1];
  const scope = header ?? url.searchParams.get('X-Amz-Credential') ?? '';
  const [accessKeyId = '', , region = '', service = ''] = scope.split('/');
  return accessKeyId === '' ? undefined : { accessKeyId, region, service };
}

/** Lets everything be done, and cuts the connection in the place of the answer. */
export function loseAnswer(response: ServerResponse): void {
  const cut = (): ServerResponse => response.destroy();
  response.write = () => true;
  response.end = cut as ServerResponse['end'];
}

export function isForm({ headers }: IncomingMessage): boolean {
  return (headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
}

export function isLoopbackHost(host: string | undefined): boolean {
  const name = (host ?? '').replace(/:\d+$/, '');
  // A bucket may stand before: `bucket.localhost`.
  return name === '' || isLoopback(name.replace(/^.*\.(?=localhost$)/, ''));
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_JSON_BYTES) {
      throw new ServiceError('RequestEntityTooLargeException', 'The request is too large', 413);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function parseJson(body: Buffer): Record<string, unknown> {
  if (body.length === 0) return {};
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Answered below, like JSON that is no object.
  }
  throw new ServiceError('SerializationException', 'The request body is not a JSON object');
}

export function toXml(value: unknown): string {
  if (typeof value === 'string') return escapeXml(value);
  if (Array.isArray(value)) return value.map((each) => `<member>${toXml(each)}</member>`).join('');
  if (typeof value !== 'object' || value === null) return escapeXml(JSON.stringify(value ?? ''));
  return Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .map(([name, inner]) => `<${name}>${toXml(inner)}</${name}>`)
    .join('');
}

export function send(
  response: ServerResponse,
  status: number,
  contentType: string,
  body: string,
  headers: Record<string, string> = {},
): void {
  if (response.destroyed) return;
  response.writeHead(status, {
    ...headers,
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
