import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { fieldKinds } from '../field-kinds.ts';
import { ACTIONS, ACTION_TRAITS, type Action } from './index.ts';
import { withActionTable } from './reference.ts';

const PAGE = fileURLToPath(new URL('../../../docs/script-format.md', import.meta.url));

test('docs/script-format.md has the actions of the table; if not: npm run generate', async () => {
  await expect(withActionTable(readFileSync(PAGE, 'utf8'))).toMatchFileSnapshot(PAGE);
});

test('a page without a place for the actions is refused', () => {
  expect(() => withActionTable('# Script format')).toThrow(/no place for the actions/);
});

describe('the words of an action', () => {
  /** Documented under another name, or for all actions together. */
  const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
    // A script gives it as `delay`.
    key_delay: ['delay'],
    // "`locator`…" stands for all ways to name an element.
    locator: ['locator', 'selector'],
    escalation_chain: ['escalation_chain', 'locator'],
    // Asked a model; kept so that old scripts parse.
    ui_prompt: [],
  };
  const isShared = (action: Action): boolean =>
    ACTIONS.some((other) => other !== action && ACTION_TRAITS[other].doc === ACTION_TRAITS[action].doc);

  test.each(ACTIONS.filter((action) => !isShared(action)))('%s: name each of its fields', (action) => {
    const { doc } = ACTION_TRAITS[action];
    const isNamed = (word: string): boolean => new RegExp(`(?<![a-z_])${word}(?![a-z_])`).test(doc);
    const missing = fieldKinds(action).own.filter((field) => {
      const words = ELSEWHERE[field] ?? [field];
      return words.length > 0 && !words.some(isNamed);
    });
    expect(missing).toEqual([]);
  });
});
