import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSandbox, type Sandbox } from './index.ts';

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox();
});

afterAll(() => sandbox.close());

const signedFor = (service: string) =>
  `AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=00`;

async function ask(path: string, init: { headers: Record<string, string>; body?: string }) {
  const response = await fetch(sandbox.url + path, { method: 'POST', ...init });
  return { status: response.status, text: await response.text() };
}

test.each([
  [
    'a service that is not in the sandbox',
    '/model/some/converse',
    { authorization: signedFor('bedrock'), 'content-type': 'application/json' },
    '{}',
    'The sandbox has no service bedrock',
  ],
  [
    'a target that is not in the sandbox',
    '/',
    { authorization: signedFor('states'), 'x-amz-target': 'Other_20260101.GetItem' },
    '{}',
    'The sandbox has no operation Other_20260101.GetItem',
  ],
  [
    'a version that is not in the sandbox',
    '/',
    { authorization: signedFor('sts'), 'content-type': 'application/x-www-form-urlencoded' },
    'Action=GetCallerIdentity&Version=2001-01-01',
    'The sandbox has no operation GetCallerIdentity of version 2001-01-01',
  ],
])('%s is named in the refusal, and counts for no service', async (_title, path, headers, body, message) => {
  sandbox.requests.clear();
  const { status, text } = await ask(path, { headers, body });
  expect(status).toBe(400);
  expect(text).toContain('UnknownOperationException');
  expect(text).toContain(message);
  expect(sandbox.requests.counts()).toEqual({});
});
