/**
 * S3 is fauxqs: its request handler is called directly, so that it shares the sandbox's port and needs none
 * of its own. Here is only what it does not do: naming operations, and refusing what it would take for
 * something else.
 */
import { existsSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildApp, type BuildAppOptions } from 'fauxqs';
import { ServiceError } from './errors.ts';

export interface S3 {
  handle(request: IncomingMessage, response: ServerResponse): void;
  createBucket(name: string): void;
  /** Removes a bucket with everything in it, so that the next request meets NoSuchBucket. */
  removeBucket(name: string): void;
  close(): Promise<void>;
}

type Stores = NonNullable<BuildAppOptions['stores']>;
type S3Store = Stores['s3Store'];
type Persistence = NonNullable<S3Store['persistence']>;

/** What fauxqs takes in one request; larger uploads come in parts anyway (aws-sdk and aws from 8 MiB). */
export const MAX_OBJECT_REQUEST_BYTES = 11 * 1_048_576;

export async function createS3(dataDir?: string): Promise<S3> {
  const stores = await createStores();
  const persistence = dataDir === undefined ? undefined : await openPersistence(join(dataDir, 's3'));
  if (persistence) {
    persistence.loadS3(stores.s3Store);
    stores.s3Store.persistence = persistence;
  }
  const app = buildApp({ logger: false, stores });
  await app.ready();
  return {
    handle: (request, response) => app.routing(request, response),
    createBucket: (name) => stores.s3Store.createBucket(name),
    removeBucket: (name) => {
      if (!stores.s3Store.hasBucket(name)) return;
      stores.s3Store.emptyBucket(name);
      stores.s3Store.deleteBucket(name);
    },
    close: async () => {
      await app.close();
      persistence?.close();
    },
  };
}

/**
 * The store classes are not exported by fauxqs, whose own start function would listen on every interface
 * of the machine. They are loaded by their place in the package.
 */
async function createStores(): Promise<Stores> {
  const [{ S3Store }, { SqsStore }, { SnsStore }] = (await Promise.all([
    importFromFauxqs('s3/s3Store.js'),
    importFromFauxqs('sqs/sqsStore.js'),
    importFromFauxqs('sns/snsStore.js'),
  ])) as [
    { S3Store: new () => S3Store },
    { SqsStore: new () => Stores['sqsStore'] },
    { SnsStore: new () => Stores['snsStore'] },
  ];
  return { s3Store: new S3Store(), sqsStore: new SqsStore(), snsStore: new SnsStore() };
}

async function openPersistence(directory: string): Promise<Persistence> {
  const { FileS3Persistence } = (await importFromFauxqs('s3/fileS3Persistence.js')) as {
    FileS3Persistence: new (directory: string) => Persistence;
  };
  return new FileS3Persistence(directory);
}

async function importFromFauxqs(path: string): Promise<unknown> {
  const manifest = findPackageJSON('fauxqs', import.meta.url);
  const file = manifest === undefined ? '' : join(dirname(manifest), 'dist', path);
  if (!existsSync(file)) {
    throw new Error(`The installed fauxqs has no dist/${path}; install the version that package.json names`);
  }
  return import(pathToFileURL(file).href);
}

export interface S3Request {
  operation: string;
  bucket?: string;
  key?: string;
}

/** Sub-resources fauxqs does not know; it would take `PUT /bucket/key?tagging` for an upload of the object. */
const UNSUPPORTED = new Set(
  'accelerate acl analytics cors encryption intelligent-tiering inventory legal-hold logging metrics notification object-lock ownershipControls policy policyStatus publicAccessBlock replication requestPayment restore retention select tagging torrent uploads versioning versions website'.split(
    ' ',
  ),
);

/**
 * What a request asks of S3, by method, path and query; as CloudTrail names it. The path is taken as it
 * was sent: a URL object would resolve `..`, and fauxqs does not.
 */
export function describeS3Request(request: IncomingMessage, query: URLSearchParams): S3Request {
  const { method = 'GET', headers } = request;
  const [path = '/'] = (request.url ?? '/').split('?');
  const [bucket = '', ...rest] = [...virtualHostBucket(headers.host), ...path.split('/').slice(1)].map(
    (segment) => decode(segment),
  );
  const key = rest.join('/');
  const operation =
    bucket === ''
      ? 'ListBuckets'
      : key === ''
        ? bucketOperation(method, query)
        : objectOperation(method, query, headers);
  return { operation, ...(bucket === '' ? {} : { bucket }), ...(key === '' ? {} : { key }) };
}

/** `bucket.localhost`: the bucket in the host's place, as clients without path-style addresses send it. */
function virtualHostBucket(host: string | undefined): string[] {
  const bucket = /^([^.]+)\.localhost(:\d+)?$/.exec(host ?? '')?.[1];
  return bucket === undefined ? [] : [bucket];
}

/** Throws for what cannot be done here, before it is taken for something else. */
export function refuseUnsupported(request: S3Request, query: URLSearchParams, contentLength: number): void {
  const sub = [...query.keys()].find((name) => UNSUPPORTED.has(name));
  const multipartStart = request.operation === 'CreateMultipartUpload';
  if (sub !== undefined && !multipartStart) {
    throw new ServiceError(
      'NotImplemented',
      `A header or query you provided implies functionality that is not implemented: the sandbox has no ?${sub}`,
      501,
    );
  }
  if (contentLength > MAX_OBJECT_REQUEST_BYTES) {
    throw new ServiceError(
      'EntityTooLarge',
      `Your proposed upload exceeds the maximum allowed size: the sandbox takes ${MAX_OBJECT_REQUEST_BYTES} bytes in one request, more as a multipart upload`,
    );
  }
  // Objects are kept as files below the data directory: a key must not lead out of it.
  if (request.key?.split('/').includes('..')) {
    throw new ServiceError('InvalidURI', "Couldn't parse the specified URI.");
  }
}

function bucketOperation(method: string, query: URLSearchParams): string {
  const lifecycle = query.has('lifecycle');
  switch (method) {
    case 'PUT':
      return lifecycle ? 'PutBucketLifecycleConfiguration' : 'CreateBucket';
    case 'HEAD':
      return 'HeadBucket';
    case 'DELETE':
      return lifecycle ? 'DeleteBucketLifecycle' : 'DeleteBucket';
    case 'POST':
      return query.has('delete') ? 'DeleteObjects' : 'PostObject';
    default:
      if (lifecycle) return 'GetBucketLifecycleConfiguration';
      if (query.has('location')) return 'GetBucketLocation';
      return query.get('list-type') === '2' ? 'ListObjectsV2' : 'ListObjects';
  }
}

function objectOperation(
  method: string,
  query: URLSearchParams,
  headers: IncomingMessage['headers'],
): string {
  const upload = query.has('uploadId');
  switch (method) {
    case 'PUT':
      if (upload) return headers['x-amz-copy-source'] ? 'UploadPartCopy' : 'UploadPart';
      return headers['x-amz-copy-source'] ? 'CopyObject' : 'PutObject';
    case 'HEAD':
      return 'HeadObject';
    case 'DELETE':
      return upload ? 'AbortMultipartUpload' : 'DeleteObject';
    case 'POST':
      return query.has('uploads') ? 'CreateMultipartUpload' : 'CompleteMultipartUpload';
    default:
      return query.has('attributes') ? 'GetObjectAttributes' : 'GetObject';
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
