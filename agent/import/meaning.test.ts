import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../base/words.ts';
import { changesOf } from './meaning.ts';

const wait = { action: 'wait', duration: 1 };
const sequence = (...steps: JsonObject[]): JsonObject => ({ type: 'sequence', name: 'S', steps });

function said(script: JsonObject, profiles: string[] = []): string[] {
  const changes = changesOf(
    { name: 'x', ...script },
    () => ({ line: 1, column: 1 }),
    (name) => profiles.includes(name),
  );
  return changes.map(({ path, was }) => `${path ?? ''}: ${was}`);
}

describe('what changes in meaning', () => {
  const cases: [string, JsonObject, RegExp][] = [
    ['abort_on_error: false', { abort_on_error: false, steps: [wait] }, /^\$\.abort_on_error: .*hid failed/],
    [
      'retry in a workflow',
      { steps: [sequence({ ...wait, retry: { attempts: 2 } })] },
      /steps\[0\]\.retry: in workflows/,
    ],
    ['delay in a workflow', { steps: [sequence({ ...wait, delay: 5 })] }, /steps\[0\]\.delay: in workflows/],
    [
      'default_delay in a workflow',
      { default_delay: 5, steps: [sequence(wait)] },
      /default_delay: in workflows/,
    ],
    [
      'retry_if',
      { steps: [{ ...wait, retry: { retry_if: { text_visible: 'x' } } }] },
      /retry\.retry_if: retry_if/,
    ],
    ['succeed', { steps: [{ action: 'succeed' }, wait] }, /steps\[0\]: succeed went on/],
    [
      'a step told by type',
      { steps: [sequence({ type: 'wait', duration: 1 })] },
      /steps\[0\]\.type: in workflows/,
    ],
    ['extract_dom', { steps: [{ action: 'extract_dom', extractions: [] }] }, /extract_dom always/],
    [
      'extract_dom by method',
      { steps: [{ action: 'extract', method: 'dom', extractions: [] }] },
      /extract_dom always/,
    ],
    ['return in execute_js', { steps: [{ action: 'execute_js', script: 'return 1' }] }, /syntax error/],
    ['templates', { steps: [{ ...wait, name: 'for {{who}}' }] }, /\$\.steps\[0\]\.name: template values/],
    [
      'a profile that is not there',
      { session: { profile_name: 'p' }, steps: [wait] },
      /profile_name: a profile/,
    ],
    ['a jump inside a block', { steps: [sequence({ type: 'goto', target: 'S' })] }, /a jump inside/],
    ['next inside a block', { steps: [sequence({ ...wait, next: 'S' })] }, /steps\[0\]\.next: "next"/],
    [
      'escalate',
      { steps: [{ type: 'try', strategies: [{ escalate: { type: 'human_intervention' } }] }] },
      /strategies\[0\]\.escalate: escalate did nothing/,
    ],
    ['a role', { steps: [{ action: 'click', locator: { strategy: 'role', value: 'button' } }] }, /by role/],
    ['a step for a model', { steps: [{ action: 'act', prompt: 'x' }] }, /steps\[0\]: a step for a model/],
    [
      'extraction by sight',
      { steps: [{ action: 'extract', prompt: 'x' }] },
      /steps\[0\]: a step for a model/,
    ],
    [
      'a method for a model',
      { steps: [{ action: 'click', escalation_chain: [{ method: 'vision_llm', prompt: 'x' }] }] },
      /escalation_chain\[0\]\.method: a step for a model/,
    ],
  ];
  test.each(cases)('%s is said once, with its place', (_name, script, pattern) => {
    expect(said(script)).toEqual([expect.stringMatching(pattern)]);
  });

  test('a script that means the same has nothing said about it', () => {
    const steps: JsonValue = [
      { ...wait, delay: 5, retry: { attempts: 2 } },
      { action: 'press', keys: ['Enter'] },
      { action: 'extract_dom', require: 'all', extractions: [{ name: 'a', selector: 'b' }] },
      { action: 'execute_js', script: 'document.title' },
    ];
    expect(said({ session: { profile_name: 'p' }, steps }, ['p'])).toEqual([]);
    expect(said({ steps: [sequence(wait), { type: 'if', condition: {}, then: { goto: 'S' } }] })).toEqual([]);
  });

  test('of many places the first is named', () => {
    const act = { action: 'act', prompt: 'x' };
    expect(said({ steps: [wait, act, act] })).toEqual([expect.stringMatching(/^\$\.steps\[1\]:/)]);
  });

  test('the table in docs/script-format.md has no row that an import is silent about', () => {
    const doc = readFileSync(new URL('../../docs/script-format.md', import.meta.url), 'utf8');
    const rows = doc
      .slice(doc.indexOf('## Where the earlier program surprised'))
      .match(/^\| (?!there|---).*$/gm);
    // Seventeen rows: eleven have a rule, two a look at templates and profiles, two are said for every script,
    // and two are problems of the script itself, which the parser reports.
    expect(rows).toHaveLength(17);
  });
});
