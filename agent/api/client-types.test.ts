import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OpenAPIV3_1 } from 'openapi-types';
import { expect, test } from 'vitest';
import { openTestApi } from '../../test/fixtures/api.ts';
import { renderClientTypes } from './client-types.ts';

const FILE = fileURLToPath(new URL('../client/schema.ts', import.meta.url));

test('the types of the client are those of the routes; when not: npm run generate', async () => {
  const api = await openTestApi();
  const { json, status, text } = await api.call('GET', '/openapi.json');
  await api.close();
  // An error must not become the types of everything.
  expect(status, text).toBe(200);
  await expect(formatted(renderClientTypes(json as OpenAPIV3_1.Document))).toMatchFileSnapshot(FILE);
});

test('a shape that cannot be written down is an error, never a wrong type', () => {
  const of = (schema: object): string =>
    renderClientTypes({
      info: { title: '', version: '' },
      components: { schemas: { Shape: schema } },
    } as unknown as OpenAPIV3_1.Document);
  expect(of({ type: ['string', 'null'] })).toContain('"Shape": (string | null)');
  expect(of({ description: 'anything' })).toContain('"Shape": unknown');
  expect(() => of({ not: { type: 'string' } })).toThrow(/no type here/);
  expect(() => of({ $ref: 'other.json#/x' })).toThrow(/elsewhere/);
});

function formatted(source: string): string {
  const bin = join(dirname(createRequire(import.meta.url).resolve('oxfmt/package.json')), 'bin', 'oxfmt');
  return execFileSync(process.execPath, [bin, '--stdin-filepath', FILE], { input: source, encoding: 'utf8' });
}
