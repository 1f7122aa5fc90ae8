import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { DOC_FILES, fillIn } from './docs.ts';
import { evaluate } from './evaluate.ts';
import { REGENERATE, TEMPLATE_FILE } from './template.ts';

const template = readFileSync(TEMPLATE_FILE, 'utf8');
const [, permissions] = DOC_FILES.map((file) => readFileSync(file, 'utf8'));

test.each(DOC_FILES.map((file) => [basename(file), file]))('%s says what the template says', (name, file) => {
  const doc = readFileSync(file, 'utf8');
  expect(doc).toMatch(/<!-- begin: /);
  expect(fillIn(doc, template), `run \`${REGENERATE}\` and look at the difference in docs/${name}`).toBe(doc);
});

test('iam-permissions.md explains each action of the agent’s policy once, and no other', () => {
  const parameters = { EnvironmentName: 'dev', KmsKey: 'create', ScriptSecrets: 'yes' };
  const { resources } = evaluate(parse(template), { account: '1', region: 'r', parameters });
  const { PolicyDocument: document } = resources['AgentPolicy']!.properties as {
    PolicyDocument: { Statement: { Action: string | string[] }[] };
  };
  const allowed = new Set(document.Statement.flatMap(({ Action: action }) => action));
  const table = permissions!.slice(permissions!.indexOf('| Action |')).split('\n\n', 1)[0]!;
  const explained = [...table.matchAll(/^\| `([\w-]+:\w+)` \|/gm)].map(([, action]) => action!);
  expect(explained.toSorted()).toEqual([...allowed].toSorted());
});
