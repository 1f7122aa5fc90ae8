/** The function that looks after the shared user's key, as it stands in the template, on a user of IAM's rules. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { keysCode } from './keys.ts';

/** What CloudFormation takes as code within a template. */
const MAX_CODE_BYTES = 4_096;

/** IAM allows a user no more. */
const MAX_KEYS = 2;

const DAY_MS = 86_400_000;
const START = Date.parse('2026-01-01T06:00:00Z');

interface Key {
  AccessKeyId: string;
  SecretAccessKey: string;
  Status: 'Active' | 'Inactive';
  CreateDate: Date;
}

type Send = (command: { name: string; input: Record<string, string> }) => unknown;

/** One user, one secret, and the function with what Lambda hands it. */
function stage(rotationDays: number) {
  let now = START;
  let made = 0;
  const keys: Key[] = [];
  const denied = new Set<string>();
  let secret: Record<string, string> = { S3_BUCKET: 'recordings' };
  const find = (id: string | undefined) => keys.findIndex(({ AccessKeyId }) => AccessKeyId === id);

  const calls: Record<string, (input: Record<string, string>) => unknown> = {
    ListAccessKeys: () => ({
      AccessKeyMetadata: keys.map(({ SecretAccessKey: _secret, ...metadata }) => metadata).toReversed(),
    }),
    CreateAccessKey: () => {
      if (keys.length === MAX_KEYS) throw new Error('LimitExceeded');
      made += 1;
      const key = { AccessKeyId: `AKIA${made}`, SecretAccessKey: `secret ${made}` };
      keys.push({ ...key, Status: 'Active', CreateDate: new Date(now) });
      return { AccessKey: key };
    },
    UpdateAccessKey: ({ AccessKeyId: id, Status: status }) => {
      keys[find(id)]!.Status = status as Key['Status'];
      return {};
    },
    DeleteAccessKey: ({ AccessKeyId: id }) => {
      keys.splice(find(id), 1);
      return {};
    },
    GetSecretValue: () => ({ SecretString: JSON.stringify(secret) }),
    PutSecretValue: ({ SecretString: text }) => {
      secret = JSON.parse(text!) as Record<string, string>;
      return {};
    },
  };
  const send: Send = async ({ name, input }) => {
    if (denied.has(name)) throw new Error(`AccessDenied: ${name}`);
    return await calls[name]!(input);
  };
  const service = () => ({
    ...Object.fromEntries(
      Object.keys(calls).map((name) => [
        `${name}Command`,
        function command(this: object, input: object) {
          Object.assign(this, { name, input });
        },
      ]),
    ),
    IAMClient: function client(this: object) {
      Object.assign(this, { send });
    },
    SecretsManagerClient: function client(this: object) {
      Object.assign(this, { send });
    },
  });

  let slept = 0;
  const exported: { handler?: (event: object) => Promise<void> } = {};
  const given = {
    require: service,
    exports: exported,
    process: { env: { USER: 'shared', SECRET: 'secret', ROTATION_DAYS: String(rotationDays) } },
    console: { log: () => undefined },
    setTimeout: (done: () => void) => {
      slept += 1;
      denied.clear();
      done();
    },
  };
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- the text of the template is what runs
  new Function(...Object.keys(given), keysCode())(...Object.values(given));
  return {
    keys,
    denied,
    secret: () => secret,
    slept: () => slept,
    lose: () => (secret = { S3_BUCKET: 'recordings' }),
    handle: (event: object) => exported.handler!(event),
    day: async (day: number) => {
      now = START + day * DAY_MS;
      await exported.handler!({ time: new Date(now).toISOString() });
    },
    works: (id: string | undefined) => keys[find(id)]?.Status === 'Active',
  };
}

test('the code fits into the template', () => {
  expect(Buffer.byteLength(keysCode())).toBeLessThan(MAX_CODE_BYTES);
});

test('in two years of 90 days each key is replaced in time, and whoever reads the secret once in 29 days always has one that works', async () => {
  const { keys, secret, day, works } = stage(90);
  const seen = new Set<string>();
  let mine: string | undefined;
  for (let today = 0; today <= 730; today += 1) {
    await day(today);
    const { AWS_ACCESS_KEY_ID: current, AWS_SECRET_ACCESS_KEY: half, S3_BUCKET: bucket } = secret();
    seen.add(current!);
    expect(bucket).toBe('recordings');
    expect(half).toBe(`secret ${current!.slice('AKIA'.length)}`);
    expect(works(current)).toBe(true);
    expect(keys.length).toBeLessThanOrEqual(MAX_KEYS);
    if (today % 29 === 0) mine = current;
    expect(works(mine)).toBe(true);
    for (const key of keys) {
      const ageDays = (START + today * DAY_MS - key.CreateDate.getTime()) / DAY_MS;
      // New for 90 days, for 30 more beside the next one, then off.
      expect(ageDays).toBeLessThanOrEqual(key.Status === 'Active' ? 120 : 150);
    }
  }
  expect([...seen]).toEqual([
    'AKIA1',
    'AKIA2',
    'AKIA3',
    'AKIA4',
    'AKIA5',
    'AKIA6',
    'AKIA7',
    'AKIA8',
    'AKIA9',
  ]);
});

test('without rotation there is one key, for ever', async () => {
  const { keys, day } = stage(0);
  for (let today = 0; today <= 400; today += 1) await day(today);
  expect(keys.map(({ AccessKeyId, Status }) => [AccessKeyId, Status])).toEqual([['AKIA1', 'Active']]);
});

test('days on which it did not run are made up for', async () => {
  const { keys, secret, day, works } = stage(90);
  for (const today of [0, 95, 400, 401, 402]) await day(today);
  expect(secret()['AWS_ACCESS_KEY_ID']).toBe('AKIA3');
  expect(works('AKIA3')).toBe(true);
  expect(works('AKIA2')).toBe(true);
  expect(keys.map(({ AccessKeyId }) => AccessKeyId)).toEqual(['AKIA2', 'AKIA3']);
});

test('a secret that has lost its key gets another, even when there are two already', async () => {
  const { keys, secret, day, lose } = stage(90);
  await day(0);
  await day(90);
  expect(keys).toHaveLength(2);
  lose();
  await day(91);
  expect(secret()['AWS_ACCESS_KEY_ID']).toBe('AKIA3');
  expect(keys.map(({ AccessKeyId }) => AccessKeyId)).toEqual(['AKIA2', 'AKIA3']);
});

test('a key that could not be put into the secret is removed again, and the failure is seen', async () => {
  const { keys, denied, day, secret } = stage(90);
  denied.add('PutSecretValue');
  await expect(day(0)).rejects.toThrow('AccessDenied: PutSecretValue');
  expect(keys).toEqual([]);
  denied.clear();
  await day(1);
  expect(secret()['AWS_ACCESS_KEY_ID']).toBe('AKIA2');
});

test('the stack is answered, tries again what was not known everywhere yet, and leaves no key behind when it goes', async () => {
  const answers: { type: string | undefined; body: Record<string, string> }[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part: Buffer) => (text += part.toString()));
    request.on('end', () => {
      const body = JSON.parse(text) as Record<string, string>;
      answers.push({ type: request.headers['content-type'], body });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const event = {
    ResponseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    StackId: 'stack',
    RequestId: 'request',
    LogicalResourceId: 'SharedUserKey',
  };
  const { keys, secret, denied, handle, slept } = stage(90);
  denied.add('CreateAccessKey');
  await handle({ ...event, RequestType: 'Create' });
  expect(slept()).toBe(1);
  expect(secret()['AWS_ACCESS_KEY_ID']).toBe('AKIA1');
  await handle({ ...event, RequestType: 'Delete' });
  expect(keys).toEqual([]);
  expect(secret()).toEqual({ S3_BUCKET: 'recordings' });
  const { ResponseURL: _url, ...about } = event;
  const answer = { type: '', body: { Status: 'SUCCESS', PhysicalResourceId: 'shared', ...about } };
  expect(answers).toEqual([answer, answer]);
});
