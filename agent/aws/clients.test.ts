import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ListUsersCommand } from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SERVICE_IDS, SERVICES } from '../base/services.ts';
import { createClients, type AwsClients } from './clients.ts';
import { Resilience, type AwsCall } from './resilience.ts';
import { CLIENTS_BY_SERVICE } from './service-clients.ts';

/** Of the SDK for one call. */
const ATTEMPTS = 3;

let server: Server;
let answer: { status: number; code: string };
let asked: number;
let calls: AwsCall[];
let renewals: number;
let clients: AwsClients;

beforeEach(async () => {
  [asked, calls, renewals] = [0, [], 0];
  server = createServer((request, response) => {
    asked += 1;
    request.resume().on('end', () => {
      response.writeHead(answer.status, { 'content-type': 'text/xml' });
      response.end(
        `<ErrorResponse><Error><Type>Sender</Type><Code>${answer.code}</Code><Message>said the service</Message></Error></ErrorResponse>`,
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  clients = createClients({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    env: {},
    resilience: new Resilience({ now: () => Date.now(), onCall: (call) => calls.push(call) }),
    renewal: {
      generation: () => 0,
      renew: async () => {
        renewals += 1;
        return false;
      },
    },
  });
});

afterEach(async () => {
  clients.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function ask(service: 'sts' | 'iam'): Promise<string> {
  try {
    if (service === 'sts') await (await clients.sts()).send(new GetCallerIdentityCommand({}));
    else await (await clients.iam()).send(new ListUsersCommand({}));
    return 'ok';
  } catch (thrown) {
    return (thrown as Error).name;
  }
}

async function askTimes(service: 'sts' | 'iam', count: number): Promise<string[]> {
  const names: string[] = [];
  for (let call = 1; call <= count; call += 1) names.push(await ask(service));
  return names;
}

test('a service of running agents is held back after five failures; one of commands is asked each time', async () => {
  answer = { status: 503, code: 'ServiceUnavailable' };
  expect(await askTimes('sts', 6)).toEqual(Array(6).fill('ServiceUnavailable'));
  expect(asked).toBe(5 * ATTEMPTS);
  expect(calls.map(({ result }) => result)).toEqual([...Array<string>(5).fill('transient'), 'held_back']);
  [asked, calls] = [0, []];
  await askTimes('iam', 6);
  expect(asked).toBe(6 * ATTEMPTS);
  expect(calls).toEqual([]);
});

test('a key that AWS refuses is renewed for running agents; a command gets the refusal as its answer', async () => {
  answer = { status: 403, code: 'InvalidClientTokenId' };
  expect(await ask('sts')).toBe('InvalidClientTokenId');
  expect(renewals).toBe(1);
  expect(await ask('iam')).toBe('InvalidClientTokenId');
  expect(renewals).toBe(1);
});

test('every service has a client, and each client goes to the endpoint that its own variable names', async () => {
  const env: Record<string, string> = { AWS_ENDPOINT_URL: 'http://127.0.0.1:9/shared' };
  for (const id of SERVICE_IDS) env[SERVICES[id].endpointVariable] = `http://127.0.0.1:9/${id}`;
  const own = createClients({ region: 'us-east-1', env });
  for (const id of SERVICE_IDS) {
    const names = Object.keys(CLIENTS_BY_SERVICE[id]) as (keyof typeof own)[];
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const client = await (own[name] as () => Promise<{ config: object }>)();
      const { endpoint } = client.config as { endpoint: () => Promise<{ path: string }> };
      expect([name, (await endpoint()).path]).toEqual([name, `/${id}`]);
    }
  }
  own.destroy();
});
