/** What every JSON and query operation of the sandbox looks like to the router. */
import type { z } from 'zod';
import { validationError } from './errors.ts';

export interface Caller {
  accessKeyId: string;
  region: string;
}

export interface OperationContext {
  caller: Caller;
  /** Aborted when the client has gone away or the sandbox closes: ends a long poll. */
  signal: AbortSignal;
}

export interface Operation {
  /** The name, ARN or path the request is about, for the request log. */
  key(input: Record<string, unknown>): string | undefined;
  handle(input: unknown, context: OperationContext): unknown;
}

/** An operation whose input is parsed before its handler sees it. */
export function operation<S extends z.ZodType>(
  schema: S,
  handle: (input: z.output<S>, context: OperationContext) => unknown,
  keyOf?: string,
): Operation {
  return {
    key: (input) => {
      const value = keyOf === undefined ? undefined : input[keyOf];
      return typeof value === 'string' ? value : undefined;
    },
    handle: (input, context) => handle(parseInput(schema, input), context),
  };
}

function parseInput<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const parsed = schema.safeParse(input ?? {});
  if (parsed.success) return parsed.data;
  throw validationError(parsed.error.issues.map(describeIssue));
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const at = issue.path.length ? issue.path.join('.') : 'input';
  const value = issue.input === undefined && issue.code === 'invalid_type' ? 'null ' : '';
  return `Value ${value}at '${at}' failed to satisfy constraint: ${constraintOf(issue)}`;
}

function constraintOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'too_big':
      return issue.origin === 'number'
        ? `Member must have value less than or equal to ${issue.maximum}`
        : `Member must have length less than or equal to ${issue.maximum}`;
    case 'too_small':
      return issue.origin === 'number'
        ? `Member must have value greater than or equal to ${issue.minimum}`
        : `Member must have length greater than or equal to ${issue.minimum}`;
    case 'invalid_value':
      return `Member must satisfy enum value set: [${issue.values.map(String).join(', ')}]`;
    case 'invalid_type':
      return issue.message.includes('received undefined')
        ? 'Member must not be null'
        : `Member must be of type ${issue.expected}`;
    default:
      return issue.message;
  }
}

/** A page of a list and the token of the next one, as every List operation of these services has them. */
export function paginate<T>(
  items: T[],
  token: string | undefined,
  pageSize: number,
  invalidToken: () => Error,
): { page: T[]; nextToken?: string } {
  let start = 0;
  if (token !== undefined && token !== '') {
    const decoded = /^offset:(\d+)$/.exec(Buffer.from(token, 'base64').toString('utf8'));
    if (!decoded) throw invalidToken();
    start = Number(decoded[1]);
  }
  const page = items.slice(start, start + pageSize);
  const end = start + page.length;
  return end < items.length ? { page, nextToken: Buffer.from(`offset:${end}`).toString('base64') } : { page };
}

/** JSON protocols carry times as seconds since the epoch with a fraction. */
export function seconds(ms: number): number {
  return ms / 1000;
}
