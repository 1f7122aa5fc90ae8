/** Whatever comes in: never a 500, never a crash, and never an answer that the document does not declare. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, openTestApi, type TestApi } from '../../test/fixtures/api.ts';
import { Contract, type Operation } from '../../test/fixtures/api-contract.ts';
import { newRunId } from '../base/ids.ts';
import { RUN_STATES } from '../store/run-state.ts';
import { API_SCOPES, API_TIERS } from '../store/api-keys.ts';

/** Per operation; all of them together take a few seconds. */
const TRIES = 60;

let api: TestApi;
let contract: Contract;

beforeAll(async () => {
  api = await openTestApi();
  contract = await Contract.of(api.api.url);
});

afterAll(async () => {
  await api.close();
});

const words = fc.constantFrom(
  '',
  '0',
  '-1',
  '1e400',
  'null',
  '__proto__',
  'constructor',
  '../..',
  '%',
  '\u0000',
  'a@b',
  newRunId(),
);
const text = fc.oneof(words, fc.string({ unit: 'binary', maxLength: 80 }), fc.string({ maxLength: 1_200 }));
const segment = text.map((value) => {
  try {
    return encodeURIComponent(value);
  } catch {
    return '%zz';
  }
});

/** Bodies near to what is documented: the right names with values right and wrong. */
const value = fc.oneof(
  fc.constantFrom<unknown>(
    ...RUN_STATES,
    ...API_SCOPES,
    ...API_TIERS,
    'INFO',
    '2020-01-01T00:00:00Z',
    newRunId(),
  ),
  text,
  fc.jsonValue({ maxDepth: 3 }),
);
const step = fc.record(
  {
    action: fc.oneof(fc.constantFrom('navigate', 'click', 'if', 'for_each', 'goto', 'include'), value),
    name: value,
    url: value,
    locator: value,
    condition: value,
    steps: fc.array(value, { maxLength: 2 }),
    then: value,
    timeout: value,
  },
  { requiredKeys: [] },
);
// Without a name no script is valid, so that none of them starts a browser.
const script = fc.record(
  { steps: fc.oneof(fc.array(step, { maxLength: 3 }), value), session: value, variables: value },
  { requiredKeys: [] },
);
const near = fc.record(
  {
    script: fc.oneof(script, value),
    variables: value,
    level: value,
    profile: value,
    headed: value,
    name: value,
    tags: fc.oneof(fc.array(value, { maxLength: 3 }), value),
    description: value,
    run_id: value,
    scopes: fc.oneof(fc.array(fc.constantFrom(...API_SCOPES)), value),
    tier: value,
    expires_at: value,
  },
  { requiredKeys: [] },
);
const body = fc.oneof(
  near.map((object) => JSON.stringify(object)),
  script.map((object) => JSON.stringify(object)),
  fc.json(),
  fc.string({ unit: 'binary', maxLength: 200 }),
);
const header = fc.constantFrom(
  {},
  { range: 'bytes=5-1' },
  { range: 'bytes=,,' },
  { 'if-none-match': '"' },
  { 'content-type': 'application/json; charset=utf-16' },
  { 'content-type': ';' },
  { accept: 'text/html;q=x' },
  { 'content-encoding': 'gzip' },
);

function pathOf(operation: Operation): fc.Arbitrary<string> {
  const inQuery = operation.parameters.filter((each) => each.in === 'query').map(({ name }) => name);
  const pieces = operation.path.split(/\{\w+\}/);
  return fc
    .tuple(
      fc.array(segment, { minLength: pieces.length - 1, maxLength: pieces.length - 1 }),
      fc.array(fc.tuple(fc.constantFrom(...inQuery, 'other'), segment), { maxLength: 4 }),
    )
    .map(([params, query]) => {
      const path = pieces.map((piece, index) => piece + (params[index] ?? '')).join('');
      return query.length === 0 ? path : `${path}?${query.map(([name, of]) => `${name}=${of}`).join('&')}`;
    });
}

test('no operation answers a 500 or what it does not declare, whatever it is sent', async () => {
  for (const operation of contract.operations.values()) {
    await fc.assert(
      fc.asyncProperty(pathOf(operation), fc.option(body), header, async (path, sent, headers) => {
        const answer = await call(api.api.url, operation.method, path, {
          key: api.api.token,
          headers,
          ...(sent === null || operation.method === 'GET' ? {} : { body: sent }),
        });
        expect(answer.status, `${operation.method} ${path}: ${answer.text}`).not.toBe(500);
        // A path that is no path of this operation, such as one with an empty parameter, is another 404 or 400.
        const isOther =
          answer.json !== undefined &&
          /^There is no [A-Z]+ \/|is not a valid url/.test(detailOf(answer.json));
        if (!isOther) contract.check(operation, answer);
      }),
      { numRuns: TRIES },
    );
  }
  expect((await api.call('GET', '/health')).json).toMatchObject({ checks: { database: { ok: true } } });
}, 120_000);

test('paths and methods that nobody documented are refused as problems', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND'),
      fc.array(segment, { maxLength: 4 }),
      async (method, parts) => {
        const { status, headers } = await call(api.api.url, method, `/${parts.join('/')}`);
        expect([400, 401, 404]).toContain(status);
        expect(headers['content-type']).toContain('application/problem+json');
      },
    ),
    { numRuns: 200 },
  );
});

function detailOf(json: unknown): string {
  return typeof json === 'object' && json !== null && 'detail' in json ? String(json.detail) : '';
}
