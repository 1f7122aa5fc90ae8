/**
 * A faulty line between an agent and AWS: a forwarder of its own that, by seed, delays requests, cuts
 * connections before or after the service has done what was asked, cuts answers amid their body, answers in
 * the service's place (500, 503, throttled, denied for a time, credentials expired), and lets task tokens
 * die. It writes down what the agent cannot know of itself: which tasks reached it, which reports it sent,
 * and when it was told that a token is dead.
 */
import { createHash } from 'node:crypto';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { randomFrom } from '../../agent/sandbox/portal/images.ts';
import { taskIdOf } from '../../agent/store/tasks.ts';

/** Weights: what only a person can mend makes an agent wait for half a minute, so it is rarer; tokens are few. */
const WEIGHTS = {
  delay: 10,
  dropped_before: 8,
  answer_lost: 8,
  cut_mid_body: 8,
  status_500: 8,
  status_503: 8,
  throttled: 8,
  token_dead: 12,
  credentials_expired: 1,
  denied: 1,
};
export type FaultKind = keyof typeof WEIGHTS;

/** Share of requests that meet a fault. Polls fewer: a lost answer costs a task its heartbeat time. */
const RATE = 0.3;
const POLL_RATE = 0.12;
const DELAY_MAX_MS = 1_200;
const DENIED_MAX_MS = 1_500;

/** One task, as the line saw it; by the task's id in the agent's database. */
export interface TaskOnLine {
  /** The `name` of the script in the task's input. */
  script: string;
  /** The answer with the task left whole. */
  handedOver: boolean;
  /** Killed here: the service goes on with it until its heartbeat time is over. */
  dead: boolean;
  /** When the agent was told by a heartbeat's answer that the token is dead; milliseconds since the epoch. */
  rejectedAt: number | null;
  /** Hashes of what was sent as its report. */
  reports: Set<string>;
  /** Reports that the service took. */
  taken: number;
}

export interface FaultyLine {
  url: string;
  /** Share of requests that meet a fault, as a part of the usual one: 1, or 0 to let all through. */
  intensity: number;
  injected: Record<FaultKind, number>;
  requests: number;
  tasks: Map<string, TaskOnLine>;
  /** Called when a request has arrived, and when the service has done it. */
  onRequest: (operation: string, moment: 'arrived' | 'done') => void;
  close(): Promise<void>;
}

interface Exchange {
  incoming: IncomingMessage;
  answer: ServerResponse;
  operation: string;
  service: 'states' | 's3' | 'other';
  body: Buffer;
  task: TaskOnLine | undefined;
}

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

export async function startFaultyLine(upstream: string, seed: number): Promise<FaultyLine> {
  const random = randomFrom(seed);
  const deniedUntil = new Map<string, number>();
  const closing = new AbortController();

  const choose = ({ operation, service, task }: Exchange): FaultKind | undefined => {
    const draw = random();
    const which = random();
    if (draw >= (operation === 'GetActivityTask' ? POLL_RATE : RATE) * line.intensity) return undefined;
    const kind = pick(which);
    if (kind === 'token_dead' && !task) return 'delay';
    if (kind === 'denied') deniedUntil.set(service, Date.now() + random() * DENIED_MAX_MS);
    return kind;
  };

  const handle = async (incoming: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const exchange = await read(incoming, answer, line.tasks);
    const { operation, service, task } = exchange;
    line.requests += 1;
    line.onRequest(operation, 'arrived');
    noteReport(exchange);
    const isDenied = line.intensity > 0 && Date.now() < (deniedUntil.get(service) ?? 0);
    const fault = isDenied ? 'denied' : choose(exchange);
    if (fault) line.injected[fault] += 1;
    if (fault === 'token_dead' && task) task.dead = true;
    if (task?.dead) {
      await reply(exchange, refusal(exchange, 'TaskTimedOut', 400));
      return;
    }
    switch (fault) {
      case 'dropped_before':
        answer.destroy();
        return;
      case 'status_500':
        await reply(exchange, refusal(exchange, 'InternalFailure', 500));
        return;
      case 'status_503':
        await reply(exchange, refusal(exchange, 'ServiceUnavailable', 503));
        return;
      case 'throttled':
        await reply(
          exchange,
          service === 's3'
            ? refusal(exchange, 'SlowDown', 503)
            : refusal(exchange, 'ThrottlingException', 400),
        );
        return;
      case 'credentials_expired':
        await reply(
          exchange,
          refusal(exchange, service === 's3' ? 'ExpiredToken' : 'ExpiredTokenException', 400),
        );
        return;
      case 'denied':
        await reply(
          exchange,
          service === 's3'
            ? refusal(exchange, 'AccessDenied', 403)
            : refusal(exchange, 'AccessDeniedException', 400),
        );
        return;
      case 'delay':
        await delay(random() * DELAY_MAX_MS, undefined, { signal: closing.signal });
        break;
      default:
    }
    // Who hung up meanwhile gets nothing done: above all no task.
    if (answer.destroyed) return;
    const done = await forward(upstream, exchange);
    if (done.status < 300 && operation.startsWith('SendTask') && operation !== 'SendTaskHeartbeat' && task) {
      task.taken += 1;
    }
    const handed = taskIn(exchange, done);
    if (handed) line.tasks.set(handed.id, handed.task);
    line.onRequest(operation, 'done');
    if (fault === 'answer_lost') answer.destroy();
    else if (fault === 'cut_mid_body') cut(answer, done);
    else await reply(exchange, done, handed?.task);
  };

  const server = createServer((incoming, answer) => {
    // Whoever is killed hangs up amid anything; the line goes on.
    handle(incoming, answer).catch(() => answer.destroy());
  });
  const { promise: listening, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await listening;
  const line: FaultyLine = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    intensity: 1,
    injected: Object.fromEntries(Object.keys(WEIGHTS).map((kind) => [kind, 0])) as Record<FaultKind, number>,
    requests: 0,
    tasks: new Map(),
    onRequest: () => undefined,
    close: async () => {
      closing.abort();
      const { promise: closed, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeAllConnections();
      await closed;
    },
  };
  return line;
}

function pick(share: number): FaultKind {
  const kinds = Object.entries(WEIGHTS) as [FaultKind, number][];
  let left = share * kinds.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [kind, weight] of kinds) {
    left -= weight;
    if (left < 0) return kind;
  }
  return 'delay';
}

async function read(
  incoming: IncomingMessage,
  answer: ServerResponse,
  tasks: FaultyLine['tasks'],
): Promise<Exchange> {
  const body = await buffer(incoming);
  const target = String(incoming.headers['x-amz-target'] ?? '');
  if (target === '') {
    const service = incoming.url === '/' ? 'other' : 's3';
    return { incoming, answer, operation: `${service}:${incoming.method}`, service, body, task: undefined };
  }
  const [prefix, operation = ''] = target.split('.');
  const service = prefix === 'AWSStepFunctions' ? 'states' : 'other';
  const { taskToken } = JSON.parse(body.toString() || '{}') as { taskToken?: string };
  const task = taskToken === undefined ? undefined : tasks.get(taskIdOf(taskToken));
  return { incoming, answer, operation, service, body, task };
}

function noteReport({ operation, body, task }: Exchange): void {
  if (!task || (operation !== 'SendTaskSuccess' && operation !== 'SendTaskFailure')) return;
  task.reports.add(createHash('sha256').update(operation).update(body).digest('hex'));
}

/** Sends it on. An agent that hangs up lets go of its poll at the service, too. */
function forward(upstream: string, { incoming, answer, body }: Exchange): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const onward = request(
    new URL(incoming.url ?? '/', upstream),
    {
      method: incoming.method ?? 'GET',
      headers: { ...incoming.headers, 'content-length': body.length },
      agent: false,
    },
    (response) => {
      buffer(response).then(
        (content) =>
          resolve({ status: response.statusCode ?? 500, headers: response.headers, body: content }),
        reject,
      );
    },
  );
  onward.on('error', reject);
  answer.once('close', () => onward.destroy());
  onward.end(body);
  return promise;
}

function taskIn(
  { operation }: Exchange,
  { status, body }: Answer,
): { id: string; task: TaskOnLine } | undefined {
  if (operation !== 'GetActivityTask' || status !== 200) return undefined;
  const { taskToken, input } = JSON.parse(body.toString()) as { taskToken?: string | null; input?: string };
  if (!taskToken) return undefined;
  const { name } = JSON.parse(input ?? '{}') as { name: string };
  const task = {
    script: name,
    handedOver: false,
    dead: false,
    rejectedAt: null,
    reports: new Set<string>(),
    taken: 0,
  };
  return { id: taskIdOf(taskToken), task };
}

/** Resolves when the answer has left whole, or the agent has gone. */
async function reply(
  { answer, operation, task }: Exchange,
  { status, headers, body }: Answer,
  handed?: TaskOnLine,
): Promise<void> {
  if (answer.destroyed) return;
  const { 'transfer-encoding': _chunked, connection: _connection, ...kept } = headers;
  const isHead = answer.req.method === 'HEAD';
  answer.writeHead(status, isHead ? kept : { ...kept, 'content-length': body.length });
  const { promise, resolve } = Promise.withResolvers<void>();
  answer.once('close', resolve);
  answer.once('finish', () => {
    if (handed) handed.handedOver = true;
    resolve();
  });
  const isDead = operation === 'SendTaskHeartbeat' && status === 400 && DEAD.test(body.toString());
  if (isDead && task) task.rejectedAt ??= Date.now();
  answer.end(isHead ? undefined : body);
  await promise;
}

const DEAD = /TaskTimedOut|TaskDoesNotExist|InvalidToken/;

/** Half of what was promised, then nothing. */
function cut(answer: ServerResponse, { status, headers, body }: Answer): void {
  const { 'transfer-encoding': _chunked, connection: _connection, ...kept } = headers;
  answer.writeHead(status, { ...kept, 'content-length': Math.max(2, body.length) });
  answer.write(body.subarray(0, Math.floor(body.length / 2)));
  setImmediate(() => answer.destroy());
}

function refusal({ service, incoming }: Exchange, code: string, status: number): Answer {
  if (service === 'states' || incoming.headers['x-amz-target'] !== undefined) {
    return {
      status,
      headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-errortype': code },
      body: Buffer.from(JSON.stringify({ __type: code, message: `${code} on a faulty line` })),
    };
  }
  return {
    status,
    headers: { 'content-type': 'application/xml' },
    body: Buffer.from(
      `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code} on a faulty line</Message></Error>`,
    ),
  };
}
