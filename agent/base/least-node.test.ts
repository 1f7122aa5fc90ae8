import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { isNodeNewEnough, LEAST_NODE } from './least-node.ts';

const read = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');

interface Package {
  engines: { node: string };
  devDependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
}

test.each([
  ['22.17.1', false],
  ['22.18.0', true],
  ['22.9.0', false],
  ['20.19.5', false],
  ['24.0.0', true],
  ['26.10.0', true],
])('Node %s is new enough: %s', (version, isGood) => {
  expect(isNodeNewEnough(version)).toBe(isGood);
});

test('engines, the compiler’s types, the Node of the tests and the docs name the same oldest Node', () => {
  const { engines, devDependencies } = JSON.parse(read('package.json')) as Package;
  expect(engines.node).toBe(`>=${LEAST_NODE}`);
  expect(devDependencies['@types/node']).toMatch(new RegExp(`^${LEAST_NODE}\\.\\d+$`));
  const oldest = JSON.parse(read('test/oldest-node/package.json')) as Package;
  expect(new Set(Object.values(oldest.optionalDependencies))).toEqual(new Set([`${LEAST_NODE}.0`]));
  for (const doc of ['README.md', 'docs/audit.md', 'docs/decisions/001-node-through-npm.md']) {
    const named = [...read(doc).matchAll(/Node (\d+\.\d+) or later/g)].map(([, version]) => version);
    expect(new Set(named), doc).toEqual(new Set([LEAST_NODE]));
  }
});
