import { readFileSync } from 'node:fs';
import { CompletionContext } from '@codemirror/autocomplete';
import { json } from '@codemirror/lang-json';
import { ensureSyntaxTree } from '@codemirror/language';
import { EditorState } from '@codemirror/state';
import { expect, test } from 'vitest';
import { resourceFolder } from '../../../../../agent/base/resources.ts';
import { schemaCompletion, type Schema } from './schema-completion.ts';

const source = schemaCompletion(
  JSON.parse(readFileSync(`${resourceFolder('schema')}/script.schema.json`, 'utf8')) as Schema,
);

/** What is offered at the `|` of the text. */
function offered(text: string, { asked = true } = {}): string[] {
  const pos = text.indexOf('|');
  const state = EditorState.create({ doc: text.replace('|', ''), extensions: [json()] });
  ensureSyntaxTree(state, state.doc.length, 1_000);
  const result = source(new CompletionContext(state, pos, asked));
  return result?.options.map(({ label }) => label.replaceAll('"', '')) ?? [];
}

test('at the top the keys of a script are offered, but those that it has', () => {
  expect(offered('{ | }')).toEqual(expect.arrayContaining(['name', 'steps', 'session', 'variables']));
  expect(offered('{ "name": "x", "|" }')).not.toContain('name');
  expect(offered('{ "na|": "x" }')).toContain('name');
});

test('a step is offered the fields of its own action', () => {
  const navigate = offered('{ "steps": [{ "action": "navigate", "|" }] }');
  expect(navigate).toEqual(expect.arrayContaining(['url', 'name', 'retry']));
  expect(navigate).not.toContain('extractions');
  const table = offered('{ "steps": [{ "type": "extract_table", "|" }] }');
  expect(table).toContain('columns');
  expect(table).not.toContain('url');
});

test('steps inside steps are steps', () => {
  expect(offered('{ "steps": [{ "action": "if", "then": [{ "action": "click", "|" }] }] }')).toEqual(
    expect.arrayContaining(['locator', 'selector']),
  );
});

test('an action, a level, a strategy and a switch are offered their values', () => {
  expect(offered('{ "steps": [{ "action": "|" }] }')).toEqual(
    expect.arrayContaining(['navigate', 'click', 'extract_dom']),
  );
  expect(offered('{ "steps": [{ "action": | }] }')).toContain('navigate');
  expect(offered('{ "session": { "recording_level": "|" } }')).toEqual(
    expect.arrayContaining(['NONE', 'TRACE']),
  );
  expect(offered('{ "steps": [{ "action": "click", "locator": { "strategy": "|" } }] }')).toContain('role');
  expect(offered('{ "abort_on_error": | }')).toEqual(['true', 'false']);
});

test('a list of steps is offered a step', () => {
  expect(offered('{ "steps": [|] }')).toEqual(['a step']);
});

test('a variable is offered what can be said of it', () => {
  expect(offered('{ "variables": { "user": { "|" } } }')).toEqual(
    expect.arrayContaining(['type', 'default', 'required', 'secret']),
  );
});

test('nothing is offered unasked where nothing is written', () => {
  expect(offered('{ | }', { asked: false })).toEqual([]);
  expect(offered('{ "name": "x" | }')).toEqual([]);
});
