/**
 * From an HTTP request to the operation it asks for: by `X-Amz-Target` (JSON protocols), by the form field `Action`
 * (query protocol), else S3; services.ts says which service has which. Every request is logged, may meet a fault rule, is decided by policies where the
 * sandbox checks them, and gets its errors in the shape of its own protocol.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { wait } from '../base/wait.ts';
import { jsonError, queryError, s3Error, ServiceError } from './errors.ts';
import { faultError, type FaultRule, type Faults } from './faults.ts';
import { isForm, isLoopbackHost, loseAnswer, parseJson, readBody, send, signatureOf, toXml } from './http.ts';
import type { Iam } from './iam/iam.ts';
import { neededFor, neededForS3, type Place } from './iam/needed.ts';
import type { Caller } from './operation.ts';
import type { LoggedRequest, RequestLog, ServiceName } from './requests.ts';
import { describeS3Request, refuseUnsupported, type S3, type S3Request } from './s3.ts';
import {
  isStandIn,
  serviceBy,
  STAND_INS,
  type JsonProtocol,
  type OperationServiceName,
  type Operations,
} from './services.ts';
import type { Sts } from './sts.ts';

export interface RouterParts {
  s3: S3;
  sts: Sts;
  iam: Iam;
  accountId: string;
  activityOfToken: (token: string) => string | undefined;
  secretArn: (id: string) => string | undefined;
  operations: Operations;
  requests: RequestLog;
  faults: Faults;
  region: string;
  closing: AbortSignal;
  log: Logger;
  loopbackOnly: boolean;
}

/** One HTTP exchange on its way through: what it asks for, who asks, and how its answers are written. */
interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  requestId: string;
  url: URL;
  caller: Caller | undefined;
  /** Aborted when the client has gone away or the sandbox closes. */
  signal: AbortSignal;
}

export class Router {
  readonly #parts: RouterParts;

  constructor(parts: RouterParts) {
    this.#parts = parts;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const exchange: Exchange = {
      request,
      response,
      requestId: randomUUID(),
      url: new URL(request.url ?? '/', 'http://sandbox.invalid'),
      caller: undefined,
      signal: AbortSignal.any([gone.signal, this.#parts.closing]),
    };
    const signature = signatureOf(request, exchange.url);
    if (signature) {
      const { accessKeyId, region } = signature;
      exchange.caller = { accessKeyId, region: region || this.#parts.region };
    }
    response.setHeader('x-amzn-requestid', exchange.requestId);
    if (this.#parts.loopbackOnly && !isLoopbackHost(request.headers.host)) {
      // A page in a browser can reach loopback through a name of its own (DNS rebinding).
      send(response, 403, 'text/plain', 'The sandbox answers loopback names only.\n');
      return;
    }
    if (signature && signature.service !== '' && !isStandIn(signature.service)) {
      this.#refuse(exchange, `The sandbox has no service ${signature.service}`);
      return;
    }
    const target = request.headers['x-amz-target'];
    if (typeof target === 'string') await this.#json(exchange, target);
    else if (request.method === 'POST' && exchange.url.pathname === '/' && isForm(request)) {
      await this.#query(exchange);
    } else await this.#s3(exchange);
  }

  /** Answers a request that is for no service of the sandbox. */
  #refuse({ request, response, requestId }: Exchange, message: string): void {
    request.resume();
    this.#parts.log.warn({ method: request.method, path: request.url }, message);
    const error = new ServiceError('UnknownOperationException', message);
    if (isForm(request)) {
      send(response, error.status, 'text/xml', queryError('', error, requestId));
      return;
    }
    const { body, headers } = jsonError('', error);
    send(response, error.status, 'application/x-amz-json-1.1', body, headers);
  }

  async #json(exchange: Exchange, target: string): Promise<void> {
    const [prefix = '', name = ''] = target.split('.');
    const service = serviceBy((protocol) => protocol.kind === 'json' && protocol.target === prefix);
    if (!service) {
      this.#refuse(exchange, `The sandbox has no operation ${target}`);
      return;
    }
    const { contentType, errorNamespace } = STAND_INS[service].protocol as JsonProtocol;
    const entry = this.#begin(exchange, service, name);
    await this.#answer(
      exchange,
      entry,
      async () => {
        const input = parseJson(await readBody(exchange.request));
        const operation = this.#parts.operations[service][name];
        entry.key ??= operation?.key(input) ?? '';
        if (entry.key === '') delete entry.key;
        return async () => {
          if (!exchange.caller) {
            throw new ServiceError('MissingAuthenticationTokenException', 'Missing Authentication Token');
          }
          this.#authorize(service, name, input, exchange.caller);
          if (!operation) {
            throw new ServiceError('UnknownOperationException', `The sandbox has no operation ${target}`);
          }
          const output = await operation.handle(input, { caller: exchange.caller, signal: exchange.signal });
          send(exchange.response, 200, contentType, JSON.stringify(output ?? {}));
        };
      },
      (error) => {
        const { body, headers } = jsonError(errorNamespace, error);
        send(exchange.response, error.status, contentType, body, headers);
      },
    );
  }

  async #query(exchange: Exchange): Promise<void> {
    const form = Object.fromEntries(new URLSearchParams((await readBody(exchange.request)).toString('utf8')));
    const action = form['Action'] ?? '';
    const version = form['Version'] ?? '';
    const service = serviceBy((protocol) => protocol.kind === 'query' && protocol.version === version);
    if (!service) {
      this.#refuse(exchange, `The sandbox has no operation ${action} of version ${version || '(none)'}`);
      return;
    }
    const xmlns = `https://${service}.amazonaws.com/doc/${version}/`;
    const operation = this.#parts.operations[service][action];
    const entry = this.#begin(exchange, service, action, operation?.key(form));
    const asJson = (exchange.request.headers.accept ?? '').includes('application/json');
    await this.#answer(
      exchange,
      entry,
      async () => async () => {
        if (!exchange.caller) {
          throw new ServiceError(
            'MissingAuthenticationToken',
            'Request is missing Authentication Token',
            403,
          );
        }
        this.#authorize(service, action, form, exchange.caller);
        if (!operation) {
          throw new ServiceError(
            'InvalidAction',
            `Could not find operation ${action} for version ${version}`,
          );
        }
        const result = await operation.handle(form, { caller: exchange.caller, signal: exchange.signal });
        const answer = {
          ...(result === undefined ? {} : { [`${action}Result`]: result }),
          ResponseMetadata: { RequestId: exchange.requestId },
        };
        if (asJson) {
          send(exchange.response, 200, 'application/json', JSON.stringify({ [`${action}Response`]: answer }));
          return;
        }
        const xml = `<${action}Response xmlns="${xmlns}">${toXml(answer)}</${action}Response>`;
        send(exchange.response, 200, 'text/xml', xml);
      },
      (error) =>
        send(exchange.response, error.status, 'text/xml', queryError(xmlns, error, exchange.requestId)),
    );
  }

  async #s3(exchange: Exchange): Promise<void> {
    const { request, response, url } = exchange;
    const asked = describeS3Request(request, url.searchParams);
    const key = [asked.bucket, asked.key].filter((part) => part !== undefined).join('/');
    const entry = this.#begin(exchange, 's3', asked.operation, key || undefined);
    await this.#answer(
      exchange,
      entry,
      async () => async () => {
        if (!exchange.caller) throw new ServiceError('AccessDenied', 'Access Denied', 403);
        this.#authorizeS3(asked, exchange.caller);
        refuseUnsupported(asked, url.searchParams, entry.sizeBytes);
        if (asked.operation === 'GetBucketLocation') {
          const xmlns = 'http://s3.amazonaws.com/doc/2006-03-01/';
          send(response, 200, 'application/xml', `<LocationConstraint xmlns="${xmlns}"/>`);
          return;
        }
        this.#parts.s3.handle(request, response);
      },
      (error) => {
        request.resume();
        const body = s3Error(error, url.pathname, exchange.requestId);
        send(response, error.status, 'application/xml', request.method === 'HEAD' ? '' : body);
      },
    );
  }

  #authorize(
    service: OperationServiceName,
    operation: string,
    input: Record<string, unknown>,
    caller: Caller,
  ): void {
    const { iam } = this.#parts;
    if (!iam.isOn) return;
    iam.authenticate(service, caller.accessKeyId);
    const resourcesOf = () => STAND_INS[service].resourcesOf(operation, input, this.#place(caller));
    iam.authorize(service, caller.accessKeyId, neededFor(service, operation, resourcesOf));
  }

  #authorizeS3(asked: S3Request, caller: Caller): void {
    const { iam } = this.#parts;
    if (!iam.isOn) return;
    iam.authenticate('s3', caller.accessKeyId);
    iam.authorize('s3', caller.accessKeyId, neededForS3(asked, this.#place(caller)));
  }

  #place({ region, accessKeyId }: Caller): Place {
    const { iam, accountId, activityOfToken, secretArn } = this.#parts;
    return {
      region,
      accountId,
      activityOfToken,
      secretArn,
      keyOf: (bucket) => iam.keyOf(bucket),
      userArn: (name) => iam.userArn(name),
      callerName: iam.nameOf(accessKeyId),
    };
  }

  #begin(exchange: Exchange, service: ServiceName, operation: string, key?: string): LoggedRequest {
    const entry: LoggedRequest = {
      service,
      operation,
      time: Date.now(),
      sizeBytes: Number(exchange.request.headers['content-length'] ?? 0),
      ...(key === undefined ? {} : { key }),
      ...(exchange.caller ? { accessKeyId: exchange.caller.accessKeyId } : {}),
    };
    this.#parts.requests.add(entry);
    const { response } = exchange;
    response.once('close', () => {
      this.#parts.requests.finish(entry, response.writableFinished ? response.statusCode : undefined);
    });
    return entry;
  }

  /** Prepares a request, applies a fault rule to it, then performs it; errors are written by `fail`. */
  async #answer(
    exchange: Exchange,
    entry: LoggedRequest,
    prepare: () => Promise<() => Promise<void>>,
    fail: (error: ServiceError) => void,
  ): Promise<void> {
    try {
      const perform = await prepare();
      const rule = this.#parts.faults.take(entry);
      if (rule && (await this.#applyFault(exchange, entry, rule))) return;
      await perform();
    } catch (thrown) {
      if (exchange.response.destroyed) return;
      const error =
        thrown instanceof ServiceError ? thrown : new ServiceError('InternalFailure', messageOf(thrown), 500);
      if (!(thrown instanceof ServiceError)) this.#parts.log.error({ err: thrown }, 'sandbox failure');
      entry.error = error.code;
      fail(error);
    }
  }

  /** Whether the rule has dealt with the request. */
  async #applyFault(exchange: Exchange, entry: LoggedRequest, rule: FaultRule): Promise<boolean> {
    if (rule.delayMs !== undefined) {
      await wait(rule.delayMs, exchange.signal).catch(() => undefined);
      if (exchange.signal.aborted) return true;
    }
    if (rule.disconnect === 'before') {
      exchange.response.destroy();
      return true;
    }
    if (rule.disconnect === 'after') loseAnswer(exchange.response);
    const { arn } = this.#parts.sts.identityOf(exchange.caller?.accessKeyId ?? '');
    const error = faultError(rule, entry, arn);
    if (error) throw error;
    return false;
  }
}
