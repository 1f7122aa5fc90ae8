import { json } from '@codemirror/lang-json';
import { EditorState } from '@codemirror/state';
import { expect, test } from 'vitest';
import { diagnosticsOf, rangeOfPath } from './marks.ts';

const doc = `{
  "name": "x",
  "steps": [
    { "action": "navigat", "url": "a" },
    { "action": "if", "then": [{ "action": "click" }] }
  ]
}`;
const state = EditorState.create({ doc, extensions: [json()] });

test('a path of the agent is found in the text', () => {
  const textAt = (path: string): string | null => {
    const range = rangeOfPath(state, path);
    return range && state.sliceDoc(range.from, range.to);
  };
  expect(textAt('$.steps[0].action')).toBe('"navigat"');
  expect(textAt('$.steps[1].then[0]')).toBe('{ "action": "click" }');
  expect(textAt('$.steps[7]')).toBeNull();
  expect(textAt('stored@1: $.steps[0]')).toBeNull();
});

test('a problem is underlined where it is, on its line only, and says what was meant', () => {
  const [wrong, outer, none] = diagnosticsOf(state, [
    { severity: 'error', path: '', line: 4, column: 17, message: 'Unknown.', suggestion: 'navigate' },
    { severity: 'warning', path: '', line: 3, column: 12, message: 'Long.' },
    { severity: 'error', path: '', line: 99, column: 9, message: 'Beyond.' },
  ]);
  expect(state.sliceDoc(wrong!.from, wrong!.to)).toBe('"navigat"');
  expect(wrong!.message).toBe('Unknown. Did you mean navigate?');
  expect(state.sliceDoc(outer!.from, outer!.to)).toBe('[');
  expect(none!.from).toBe(doc.length);
});
