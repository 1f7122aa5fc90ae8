import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../base/words.ts';
import { parseTaskInput, taskOutput, type TaskInput } from './task-input.ts';

const steps = [{ action: 'wait' }];
function read(value: unknown): TaskInput {
  const result = parseTaskInput(typeof value === 'string' ? value : JSON.stringify(value));
  if (!result.ok) throw result.error;
  return result.input;
}
const message = (value: unknown): string => {
  const result = parseTaskInput(typeof value === 'string' ? value : JSON.stringify(value));
  if (result.ok) throw new Error('it was taken');
  expect(result.error.errorName).toBe('BrowserAgent.InvalidInput');
  return result.error.message;
};

describe('task input', () => {
  test('without tool_input the whole input is the script, and the output is the result itself', () => {
    const input = read({ name: 'T', steps });
    expect(input).toEqual({
      run: { kind: 'script', script: { name: 'T', steps }, variables: {} },
      envelope: null,
    });
    expect(taskOutput(input, { success: true })).toEqual({ success: true });
  });

  test('an envelope comes back with the result in it, approved', () => {
    const envelope = {
      tool_name: 'browser_remote',
      tool_use_id: 't1',
      tool_input: { name: 'T', steps },
      context: { a: 1 },
    };
    const input = read(envelope);
    expect(input.run).toMatchObject({ kind: 'script', script: { name: 'T' } });
    expect(taskOutput(input, { success: true })).toEqual({
      ...envelope,
      tool_input: { script_output: { success: true } },
      approved: true,
    });
  });

  const runs: [unknown, unknown][] = [
    [
      { script: 'shop@2', variables: { a: 1 } },
      { kind: 'stored', name: 'shop', version: '2', variables: { a: 1 } },
    ],
    [{ script: 'shop' }, { kind: 'stored', name: 'shop', variables: {} }],
    [{ script: '@odd' }, { kind: 'stored', name: '@odd', variables: {} }],
    [
      { script: { name: 'T', steps }, variables: { a: 1 } },
      { kind: 'script', script: { name: 'T', steps }, variables: { a: 1 } },
    ],
    [
      { prompt: 'Do', starting_page: 'http://x', schema: { type: 'object' } },
      { kind: 'prompt', prompt: 'Do', startingPage: 'http://x', schema: { type: 'object' } },
    ],
    [
      { prompt: 'Do', url: 'http://x' },
      { kind: 'prompt', prompt: 'Do', startingPage: 'http://x' },
    ],
    [{ prompt: 'Do' }, { kind: 'prompt', prompt: 'Do' }],
    [{ name: 'no steps' }, { kind: 'script', script: { name: 'no steps' }, variables: {} }],
  ];
  test.each(runs)('%j, bare, in an envelope or as text, is %j', (body, expected) => {
    expect(read(body).run).toEqual(expected);
    expect(read({ tool_input: body }).run).toEqual(expected);
    expect(read({ tool_input: JSON.stringify(body) }).run).toEqual(expected);
  });

  test('the level stands beside tool_input, or in it, in any case', () => {
    expect(read({ tool_input: { name: 'T', steps }, recording_level: 'debug' }).recordingLevel).toBe('DEBUG');
    expect(read({ tool_input: { name: 'T', steps, recording_level: 'NONE' } }).recordingLevel).toBe('NONE');
    expect(read({ name: 'T', steps, recording_level: 'TRACE' }).recordingLevel).toBe('TRACE');
    expect(read({ name: 'T', steps, recording_level: null }).recordingLevel).toBeUndefined();
    expect(message({ name: 'T', steps, recording_level: 'LOUD' })).toContain(
      'NONE, ERROR, INFO, DEBUG, TRACE',
    );
    expect(message({ name: 'T', steps, recording_level: 3 })).toContain('recording_level');
  });

  test('who asks is the agent of the context, else its state machine', () => {
    const name = (context: unknown): string | undefined => read({ tool_input: { steps }, context }).agentName;
    expect(name({ agent_name: 'broadband', state_machine: 'm' })).toBe('broadband');
    expect(name({ state_machine: 'arn:aws:states:eu-west-1:1:stateMachine:checker' })).toBe('checker');
    expect(name({ agent: '' })).toBeUndefined();
    expect(name('x')).toBeUndefined();
  });

  const wrong: [unknown, string][] = [
    ['', 'not JSON: it is empty'],
    ['{"a":', 'not JSON'],
    ['[1]', 'must be a JSON object'],
    [{ tool_input: 5 }, '"tool_input" must be an object'],
    [{ tool_input: 'not json' }, '"tool_input" is a string'],
    [{ script: 5 }, '"script" must be the name'],
    [{ script: '' }, '"script" must be the name'],
    [{ script: 'a', variables: [] }, '"variables" must be an object'],
    [{ prompt: '' }, '"prompt" must be a text'],
    [`{"a":${'['.repeat(5_000)}`, 'deep'],
    [JSON.stringify({ prompt: 'x'.repeat(262_200) }), '262144'],
    ['{"__proto__": {}}', '__proto__'],
  ];
  test.each(wrong)('%j is refused with a reason', (input, expected) => {
    expect(message(input)).toContain(expected);
  });

  test('no text makes it throw', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.json().map((json) => `{"tool_input":${json}}`),
        ),
        (text) => {
          const result = parseTaskInput(text);
          const answer = result.ok ? JSON.stringify(taskOutput(result.input, {})) : result.error.message;
          expect(answer).toBeTruthy();
        },
      ),
    );
  });

  test('a result keeps its keys whatever the envelope has', () => {
    const envelope = { tool_input: {}, approved: false, x: 1 } as JsonObject;
    expect(taskOutput({ envelope }, { r: 1 })).toEqual({
      tool_input: { script_output: { r: 1 } },
      approved: true,
      x: 1,
    });
  });
});
