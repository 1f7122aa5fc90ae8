import * as fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parsed } from '../../test/support/script-ports.ts';
import { compilePattern, readPattern } from '../base/pattern.ts';
import type { JsonObject, JsonValue } from '../base/words.ts';
import { MAX_FINDINGS } from './findings.ts';
import { formatProblem, parseScript, type Problem } from './parse.ts';
import { didYouMean, formatPath } from './problem.ts';
import { MAX_DEPTH } from './source.ts';

const script = (steps: JsonValue, more: JsonObject = {}): JsonObject => ({ name: 'T', steps, ...more });
const problemsOf = (source: unknown): Problem[] => {
  const result = parseScript(source);
  return result.ok ? result.warnings : result.problems;
};
const errorsOf = (source: unknown): string[] => {
  const result = parseScript(source);
  return result.ok
    ? []
    : result.problems
        .filter(({ severity }) => severity === 'error')
        .map(({ path, message }) => `${path} ${message}`);
};
const oneError = (step: JsonValue, more: JsonObject = {}): string => {
  const errors = errorsOf(script([step], more));
  expect(errors).toHaveLength(1);
  return errors[0]!;
};
const url = { type: 'url_contains', pattern: 'x' };

describe('what is no script', () => {
  const cases: [unknown, RegExp][] = [
    ['', /not JSON: it is empty/],
    ['{"name": "x",}', /not JSON/],
    ['{"name": /* no */ "x"}', /not JSON/],
    ['[]', /must be an object, and this is a list/],
    ['null', /this is null/],
    ['"text"', /this is a string/],
    [undefined, /not a JSON value: it is undefined/],
    [() => 1, /it is function/],
    [{ name: 'x', steps: 10n }, /not a JSON value/],
    [{}, /"name" is missing/],
    [{ name: 'x' }, /"steps" is missing/],
    [{ name: 'x', steps: [] }, /"steps" must not be empty/],
    [{ name: '', steps: [{ action: 'wait' }] }, /"name" must not be empty/],
    [{ name: 'x', steps: {} }, /"steps" must be a list, not an object/],
    [{ name: 5, steps: [{ action: 'wait' }] }, /"name" must be a string, not a number/],
    ['{"name":"x","steps":[{"action":"wait","__proto__":{}}]}', /"__proto__" is not allowed/],
    [JSON.parse('{"__proto__": 1}'), /"__proto__" is not allowed/],
    [`{"name":"${'é'.repeat(131_072)}"}`, /more than 262144/],
    [{ name: 'x'.repeat(262_144) }, /more than 262144/],
    ['['.repeat(100_000), new RegExp(`more than ${MAX_DEPTH} deep`)],
    [`{"a":"[[${'['.repeat(200)}\\"["}`, /missing/],
  ];
  test.each(cases)('%# is told', (source, expected) => {
    expect(errorsOf(source).join('\n')).toMatch(expected);
  });

  test('a cycle in a value is too deep, not endless', () => {
    const cycle: Record<string, unknown> = { name: 'x' };
    cycle['self'] = cycle;
    expect(errorsOf(cycle)[0]).toContain('deep');
  });

  test('the deepest script that is allowed parses', () => {
    // The script, its list of steps, then two levels for each sequence, and the last step.
    const sequences = (MAX_DEPTH - 3) >> 1;
    let steps: JsonValue = [{ action: 'wait' }];
    for (let level = 0; level < sequences; level++) steps = [{ action: 'sequence', steps }];
    expect(errorsOf(script(steps))).toEqual([]);
    expect(errorsOf(script([{ action: 'sequence', steps: [{ action: 'sequence', steps }] }]))[0]).toContain(
      'deep',
    );
  });

  test('a byte order mark is no part of a script', () => {
    expect(errorsOf(`\uFEFF${JSON.stringify(script([{ action: 'wait' }]))}`)).toEqual([]);
  });
});

describe('where and what', () => {
  test('problems in text carry line and column, errors first', () => {
    const text =
      '{\n  "name": "x",\n  "nmae": 1,\n  "steps": [\n    { "action": "clik" },\n    { "action": "wait", "duration": "long" }\n  ]\n}';
    expect(problemsOf(text)).toMatchObject([
      { severity: 'error', path: '$.steps[0].action', line: 5, column: 17, suggestion: 'click' },
      { severity: 'error', path: '$.steps[1].duration', line: 6, column: 37 },
      { severity: 'warning', path: '$.nmae', line: 3, column: 11, suggestion: 'name' },
    ]);
  });

  test('text that is not JSON is told where it breaks, and a forbidden key where it stands', () => {
    expect(problemsOf('{\n "a": tru }')).toMatchObject([{ path: '$', line: 2, column: 7 }]);
    expect(problemsOf('{\n "__proto__": 1 }')).toMatchObject([{ line: 2 }]);
    expect(problemsOf(`{\n "a": ${'['.repeat(150)}`)).toMatchObject([{ line: 2 }]);
  });

  test('a problem is one line for a person', () => {
    const problem: Problem = {
      severity: 'error',
      path: '$.a',
      message: 'no',
      line: 2,
      column: 3,
      suggestion: 'b',
    };
    expect(formatProblem(problem, 's.json')).toBe('s.json:2:3 error $.a: no Did you mean "b"?');
    expect(formatProblem({ severity: 'warning', path: '$', message: 'hm' })).toBe('warning $: hm');
    expect(formatPath(['a', 0, 'odd key', '1x'])).toBe('$.a[0]["odd key"]["1x"]');
  });

  test('a guess is made for slips only', () => {
    expect(didYouMean('CLICK', ['click'])).toBe('click');
    expect(didYouMean('navgate', ['navigate', 'wait'])).toBe('navigate');
    expect(didYouMean('zzzzzz', ['click'])).toBeUndefined();
    expect(didYouMean('x', [])).toBeUndefined();
    expect(didYouMean('x'.repeat(101), ['x'])).toBeUndefined();
  });

  test('values as well as text can be read; a value has no lines', () => {
    expect(problemsOf(script([{ action: 'nope' }]))[0]).not.toHaveProperty('line');
  });

  test('unknown keys are warnings, comments are not', () => {
    const result = parseScript(
      script([{ action: 'wait', _why: 1, durtion: 5 }], { _note: 'x', variables: { _hint: 'x', a: 1 } }),
    );
    expect(result).toMatchObject({
      ok: true,
      warnings: [{ path: '$.steps[0].durtion', suggestion: 'duration' }],
    });
  });

  test('warnings do not keep errors out of the list', () => {
    const steps = Array.from({ length: 300 }, (_, index) => ({ action: 'wait', [`k${index}`]: 1 }));
    expect(problemsOf(script(steps))).toHaveLength(MAX_FINDINGS);
    expect(errorsOf(script([...steps, { action: 'nope' }]))).toHaveLength(1);
  });

  test('one look shows every problem, those that need the whole script too', () => {
    const errors = errorsOf(
      script(
        [
          { action: 'wait', duration: 'x', name: 'A' },
          { action: 'goto', target: 'B' },
          { action: 'goto', target: 'A' },
        ],
        { timeout: 'y' },
      ),
    );
    expect(errors.map((error) => error.split(' ')[0])).toEqual([
      '$.timeout',
      '$.steps[0].duration',
      '$.steps[1].target',
    ]);
    expect(errorsOf({ name: 5, steps: [{ action: 'goto', target: 'B' }] })).toHaveLength(2);
  });
});

describe('steps', () => {
  const wrong: [JsonValue, string][] = [
    [5, '$.steps[0] a step must be an object'],
    [{}, '$.steps[0] a step needs an "action"'],
    [{ type: 5 }, '$.steps[0].type "type" must be the name'],
    [{ action: 'click' }, '$.steps[0] "click" needs an element'],
    [{ action: 'navigate' }, '$.steps[0].url "url" is missing'],
    [{ type: 'navigate', url: 5 }, '$.steps[0].url "url" must be a string, not a number'],
    [
      { action: 'navigate', url: 'x', wait_until: 'lod' },
      '"wait_until" must be one of load, domcontentloaded, networkidle, commit, not "lod"',
    ],
    [{ action: 'wait', timeout: -1 }, '"timeout" must be at least 0'],
    [{ action: 'wait', timeout: 1e12 }, '"timeout" must be at most 86400000'],
    [{ action: 'wait', timeout: null }, '"timeout" must be a number, not null'],
    [{ action: 'wait', retry: { attempts: 1.5 } }, '$.steps[0].retry.attempts'],
    [{ action: 'wait', retry: { attempts: 1000 } }, '"attempts" must be at most 100'],
    [{ action: 'wait', retry: [] }, '"retry" must be an object, not a list'],
    [{ action: 'wait', delay: 'x' }, '$.steps[0].delay "delay" must be a number, not a string'],
    [{ action: 'wait', save_as: 'my var' }, 'letters, digits'],
    [{ action: 'wait', save_as: '__proto__' }, 'letters, digits'],
    [{ action: 'wait', duration_range: [1] }, '$.steps[0].duration_range'],
    [{ action: 'press' }, '$.steps[0].keys "keys" is missing'],
    [{ action: 'press', key: '' }, '"[0]" must not be empty'],
    [{ action: 'fill', selector: '#a' }, '$.steps[0].value'],
    [{ action: 'upload', selector: '#a', files: [] }, '"files" must not be empty'],
    [{ action: 'download' }, '$.steps[0].trigger'],
    [{ action: 'download', trigger: { action: 'human' } }, '$.steps[0].trigger.action'],
    [{ action: 'extract_dom', extractions: [] }, '"extractions" must not be empty'],
    [{ action: 'extract_dom', extractions: [{ name: 'a' }] }, 'an extraction needs a "strategy"'],
    [
      { action: 'extract_dom', extractions: [{ name: 'a', strategy: 'table_cell' }] },
      'needs "table_selector"',
    ],
    [{ action: 'extract_dom', extractions: [{ selector: 'a' }] }, '"name" is missing'],
    [{ action: 'extract_dom', extractions: [5] }, '$.steps[0].extractions[0]'],
    [{ action: 'act' }, '"prompt" is missing'],
    [{ action: 'extract', method: 'magic' }, '"method" must be vision, not "magic"'],
    [{ action: 'assert' }, '$.steps[0].condition'],
    [{ action: 'if', condition: url }, '"if" needs a "then" or an "else"'],
    [{ action: 'if', condition: url, then: 5 }, '$.steps[0].then a branch must be'],
    [{ action: 'if', condition: url, then: { continue: false } }, '$.steps[0].then a branch must be'],
    [{ action: 'try', strategies: [] }, '"strategies" must not be empty'],
    [{ action: 'try', strategies: [{ name: 'a' }] }, 'one that does nothing always succeeds'],
    [{ action: 'try', strategies: [5] }, '$.steps[0].strategies[0]'],
    [{ action: 'try', strategies: [{ escalate: 5 }] }, '"escalate" must be an object'],
    [
      { action: 'try', strategies: [{ escalate: { type: 'magic' } }] },
      '$.steps[0].strategies[0].escalate.type unknown action "magic"',
    ],
    [{ action: 'switch', cases: [5] }, '$.steps[0].cases[0]'],
    [{ action: 'for_each', items: 5, steps: [] }, '"items" must be a list, not a number'],
    [{ action: 'for_each', items: [], as: 'a b', steps: [] }, 'letters, digits'],
    [{ action: 'click', escalation_chain: [5] }, '$.steps[0].escalation_chain[0]'],
    [{ action: 'click', escalation_chain: [{ method: 'magic' }] }, '$.steps[0].escalation_chain[0].method'],
  ];
  test.each(wrong)('%j is told', (step, expected) => {
    expect(oneError(step)).toContain(expected);
  });

  test('aliases and canonical spellings are the same', () => {
    const same: [JsonObject, JsonObject][] = [
      [
        { action: 'goto', url: 'x' },
        { action: 'navigate', url: 'x' },
      ],
      [
        { type: 'select_option', selector: 's', value: 'a' },
        { action: 'select', locator: { strategy: 'selector', value: 's' }, value: 'a' },
      ],
      [{ action: 'wait_for_human' }, { action: 'human' }],
      [
        { action: 'act', goal: 'x' },
        { action: 'act', prompt: 'x' },
      ],
      [{ continue: true }, { action: 'sequence', steps: [] }],
      [
        { action: 'error', message: 'x' },
        { action: 'fail', message: 'x' },
      ],
      [
        { action: 'wait_for_selector', selector: 's' },
        { action: 'wait_for_selector', locator: 's' },
      ],
      [
        { action: 'wait_for_url', url: '/x' },
        { action: 'wait_for_url', pattern: '/x' },
      ],
      [
        { action: 'upload', selector: 's', files: 'a.txt' },
        { action: 'upload', locator: 's', files: ['a.txt'] },
      ],
      [
        { action: 'download', selector: 's' },
        { action: 'download', trigger: { action: 'click', selector: 's' } },
      ],
      [
        { action: 'download', escalation_chain: [{ method: 'vision_llm' }] },
        { action: 'download', trigger: { action: 'click', escalation_chain: [{ method: 'vision_llm' }] } },
      ],
      [
        { action: 'wait', retry: 3 },
        { action: 'wait', retry: { attempts: 3 } },
      ],
      [
        { action: 'wait', retry: { backoff: 'fixed' } },
        { action: 'wait', retry: { backoff: 1 } },
      ],
      [{ action: 'wait', retry: null }, { action: 'wait' }],
      [
        { action: 'type', selector: 's', value: 'a', delay: 5, delay_ms: 6 },
        { action: 'type', selector: 's', value: 'a', key_delay: 6 },
      ],
      [
        { action: 'type', selector: 's', value: 'a', delay: { min: 1, max: 2 }, key_delay: 3 },
        { action: 'type', selector: 's', value: 'a', key_delay: 3, delay: { min: 1, max: 2 } },
      ],
      [
        { action: 'press', key: true, keys: 'a' },
        { action: 'press', key: true, keys: ['a'] },
      ],
      [
        { action: 'if', condition: url, then: {}, else: null },
        { action: 'if', condition: url, then: [], else: [] },
      ],
      [
        { action: 'fill', selector: 's', value: 5 },
        { action: 'fill', selector: 's', value: '5' },
      ],
      [
        { action: 'extract', extractions: [{ name: 'a', selector: 'b' }] },
        { action: 'extract_dom', extractions: [{ field: 'a', strategy: 'selector', selector: 'b' }] },
      ],
    ];
    for (const [one, other] of same)
      expect(parsed(script([one])).steps).toEqual(parsed(script([other])).steps);
  });

  test('the short form of a jump may stand in a list of steps', () => {
    const steps = [
      { goto: 'End', because: 1 },
      { action: 'wait', name: 'End' },
    ];
    expect(parseScript(script(steps))).toMatchObject({
      ok: true,
      script: { steps: [{ action: 'goto', target: 'End' }, {}] },
      warnings: [{ path: '$.steps[0].because' }],
    });
    expect(oneError({ goto: 'Nowhere' })).toContain('$.steps[0].goto');
    expect(oneError({ continue: false })).toContain('a step needs an "action"');
  });

  test('a step with two elements takes the chain, then the locator, and says so', () => {
    const chain = [{ method: 'vision_llm', prompt: 'x' }];
    expect(problemsOf(script([{ action: 'click', selector: 'a', locator: 'b' }]))).toMatchObject([
      { path: '$.steps[0].selector' },
    ]);
    expect(problemsOf(script([{ action: 'click', locator: 'b', escalation_chain: chain }]))).toMatchObject([
      { path: '$.steps[0].locator' },
    ]);
  });

  test('action and type that differ are a warning; a control type wins', () => {
    const both = parseScript(script([{ action: 'click', type: 'sequence', steps: [{ action: 'wait' }] }]));
    expect(both).toMatchObject({
      ok: true,
      script: { steps: [{ action: 'sequence' }] },
      warnings: [{ path: '$.steps[0].type' }, { path: '$.steps[0].action' }].slice(0, 1),
    });
  });

  test('the level of the script is the level of its session, unless that says one', () => {
    const wait = [{ action: 'wait' }];
    expect(parsed(script(wait, { recording_level: 'debug' })).session?.recording_level).toBe('DEBUG');
    expect(
      parsed(script(wait, { recording_level: 'debug', session: { recording_level: 'error' } })).session
        ?.recording_level,
    ).toBe('ERROR');
    expect(oneError({ action: 'wait' }, { session: { recording_level: 5 } })).toContain(
      '$.session.recording_level',
    );
    expect(
      parsed(script(wait, { session: { post_login_verification: url } })).session?.post_login_verification,
    ).toEqual(url);
  });

  test('a variable is a default, or what is known of it', () => {
    const { variables } = parsed(
      script([{ action: 'wait' }], {
        variables: { a: 1, b: { type: 'string', default: 'x' }, c: { x: 1 }, d: {} },
      }),
    );
    expect(variables).toMatchObject({
      a: { default: 1 },
      b: { type: 'string', default: 'x' },
      c: { default: { x: 1 } },
      d: { default: {} },
    });
    expect(oneError({ action: 'wait' }, { variables: { a: { type: 'text' } } })).toContain(
      '$.variables.a.type "type" must be one of',
    );
    expect(oneError({ action: 'wait' }, { variables: { a: { pattern: '(' } } })).toContain(
      '$.variables.a.pattern not a regular expression',
    );
    expect(oneError({ action: 'wait' }, { variables: 5 })).toContain('"variables" must be an object');
  });
});

describe('locators and conditions', () => {
  const locators: [JsonValue, JsonObject][] = [
    ['#a', { strategy: 'selector', value: '#a' }],
    [{ selector: '#a' }, { strategy: 'selector', value: '#a' }],
    [{ css_selector: '#a' }, { strategy: 'selector', value: '#a' }],
    [
      { strategy: 'css', value: '#a', nth: -1, frame: 'f' },
      { strategy: 'selector', value: '#a', nth: -1, frame: ['f'] },
    ],
    [
      { strategy: 'testid', value: 'a' },
      { strategy: 'test_id', value: 'a' },
    ],
    [
      { x: 1, y: 2 },
      { strategy: 'coordinates', x: 1, y: 2 },
    ],
    [
      { role: 'link', name: 'Home' },
      { strategy: 'role', value: 'link', name: 'Home' },
    ],
    [
      { strategy: 'role', value: '{{r}}' },
      { strategy: 'role', value: '{{r}}' },
    ],
    [{ label: 'Name' }, { strategy: 'label', value: 'Name' }],
    [
      { strategy: 'label', label: 'Name', exact: true },
      { strategy: 'label', value: 'Name', exact: true },
    ],
    [
      { strategy: 'form_field', value: 'Name' },
      { strategy: 'form_field', label: 'Name' },
    ],
  ];
  test.each(locators)('%j is %j', (written, canonical) => {
    expect(parsed(script([{ action: 'click', locator: written }])).steps).toMatchObject([
      { locator: canonical },
    ]);
  });

  const wrongLocators: [JsonValue, string][] = [
    [5, 'a locator must be an object'],
    [{}, 'a locator needs a "strategy"'],
    [{ strategy: 'txt', value: 'a' }, 'unknown locator strategy "txt"'],
    [{ strategy: 5 }, 'unknown locator strategy 5'],
    [{ strategy: 'text' }, '$.steps[0].locator.value "value" is missing'],
    [{ strategy: 'coordinates', x: 1 }, '"y" is missing'],
  ];
  test.each(wrongLocators)('%j is told', (locator, expected) => {
    expect(oneError({ action: 'hover', locator })).toContain(expected);
  });

  test('a key that moved is told where it was written', () => {
    expect(oneError({ action: 'click', selector: { strategy: 'text', value: 5 } })).toContain(
      '$.steps[0].selector.value',
    );
    expect(oneError({ action: 'press', key: 'a', delay: -5 })).toContain('$.steps[0].delay');
    expect(oneError({ action: 'assert', condition: { type: 'element_visible', selector: '' } })).toContain(
      '$.steps[0].condition.selector',
    );
    expect(
      oneError({ action: 'click', escalation_chain: [{ method: 'playwright_locator', selector: '' }] }),
    ).toContain('.escalation_chain[0].selector');
    expect(oneError({ action: 'if', condition: url, then: { goto: 5 } })).toContain('$.steps[0].then.goto');
    expect(oneError({ action: 'wait', retry: { retry_if: { text_visible: 5 } } })).toContain(
      '$.steps[0].retry.retry_if.text_visible',
    );
    expect(oneError({ action: 'click', locator: { strategy: 'label', label: 5 } })).toContain(
      '$.steps[0].locator.label',
    );
  });

  const wrongConditions: [JsonValue, string][] = [
    [5, 'a condition must be an object'],
    [{}, 'a condition needs a "type"'],
    [{ txt_visible: 'a' }, 'a condition needs a "type"'],
    [{ type: 'elment_visible' }, 'unknown condition "elment_visible"'],
    [{ type: 5 }, 'unknown condition 5'],
    [{ type: 'element_visible' }, '$.steps[0].condition.locator'],
    [{ type: 'element_text', selector: 'a' }, 'needs "contains" or "equals" or "matches"'],
    [{ type: 'element_count', selector: 'a' }, 'needs "min" or "max" or "exact"'],
    [{ type: 'variable', name: 'a' }, 'needs "equals" or "contains" or "exists"'],
    [{ type: 'and', conditions: [] }, '"conditions" must not be empty'],
    [{ type: 'not' }, '$.steps[0].condition.condition'],
    [{ type: 'url_matches', pattern: '(' }, 'not a regular expression'],
    [{ type: 'element_text', selector: 'a', matches: '[' }, 'not a regular expression'],
    [
      { type: 'or', conditions: [url, { type: 'url_equals' }] },
      '$.steps[0].condition.conditions[1].url "url" is missing',
    ],
  ];
  test.each(wrongConditions)('%j is told', (condition, expected) => {
    expect(oneError({ action: 'assert', condition })).toContain(expected);
  });

  test('shorthands are conditions, and say how long they look', () => {
    const [step] = parsed(
      script([{ action: 'assert', condition: { text_not_visible: 'x', timeout: 50 } }]),
    ).steps;
    expect(step).toMatchObject({
      condition: { type: 'not', condition: { type: 'text_visible', text: 'x', timeout: 50 } },
    });
    const [other] = parsed(script([{ action: 'assert', condition: { url_contains: 'x' } }])).steps;
    expect(other).toMatchObject({ condition: url });
  });

  test('waiting conditions wait five seconds, counting ones look once', () => {
    const timeoutOf = (type: string): unknown =>
      (
        parsed(script([{ action: 'assert', condition: { type, selector: 'a', min: 1, contains: 'x' } }]))
          .steps[0] as unknown as { condition: { timeout: number } }
      ).condition.timeout;
    expect(timeoutOf('element_visible')).toBe(5000);
    expect(timeoutOf('element_count')).toBe(0);
  });

  test('regular expressions of both languages are read', () => {
    const compiled = (pattern: string, flags = '') => compilePattern(readPattern(pattern, flags));
    expect(compiled('(?i)^ab$', 'gi').flags).toBe('gi');
    expect(compiled('(?i)^ab$').test('AB')).toBe(true);
    expect(compiled('(?P<n>a)\\Z').exec('ba')?.groups?.['n']).toBe('a');
    expect(compiled('\\Aa\\\\Z').test('a\\Z')).toBe(true);
    const step = { action: 'wait_for_url', pattern: '/(/i' };
    expect(oneError(step)).toContain('not a regular expression');
    expect(
      errorsOf(
        script([
          { action: 'wait_for_url', pattern: '**/(x' },
          { action: 'wait_for_response', pattern: '/ok$/' },
        ]),
      ),
    ).toEqual([]);
    expect(oneError({ action: 'extract_dom', extractions: [{ name: 'a', pattern: '(' }] })).toContain(
      '.pattern not a',
    );
    expect(
      errorsOf(script([{ action: 'assert', condition: { type: 'url_matches', pattern: '({{x}}' } }])),
    ).toEqual([]);
  });
});

describe('jumps and names', () => {
  test('a jump to a name that is not there is an error with a guess', () => {
    const problems = problemsOf(
      script([
        { action: 'wait', name: 'Search' },
        { action: 'wait', next: 'Serch' },
      ]),
    );
    expect(problems).toMatchObject([{ path: '$.steps[1].next', suggestion: 'Search' }]);
  });

  test('a step inside another cannot be jumped to from outside', () => {
    const steps = [
      { action: 'sequence', steps: [{ action: 'wait', name: 'In' }] },
      { action: 'goto', target: 'In' },
    ];
    expect(errorsOf(script(steps))).toEqual([expect.stringContaining('stands inside another step')]);
  });

  test('one name twice in a list is an error only when it is jumped to, and told once', () => {
    const twice = [
      { action: 'wait', name: 'A' },
      { action: 'wait', name: 'A' },
    ];
    expect(errorsOf(script(twice))).toEqual([]);
    expect(
      errorsOf(script([...twice, { action: 'goto', target: 'A' }, { action: 'wait', next: 'A' }])),
    ).toEqual([expect.stringContaining('$.steps[1].name the name "A" is used twice')]);
  });

  test('in every kind of block, jumps reach the lists around', () => {
    const jump = { action: 'goto', target: 'Out' };
    const blocks = [
      { action: 'if', condition: url, then: [jump], else: jump },
      { action: 'try', strategies: [{ steps: [jump] }] },
      { action: 'switch', cases: [{ condition: url, steps: [jump] }], default: [jump] },
      { action: 'for_each', items: [1], steps: [jump] },
      { action: 'wait', name: 'Out' },
      { action: 'goto', target: '{{any}}' },
    ];
    expect(errorsOf(script(blocks))).toEqual([]);
  });

  test('a name that is not defined is an error where the script declares variables, else a warning', () => {
    const fill = { action: 'fill', selector: '#a', value: '{{usr}}' };
    expect(problemsOf(script([fill]))).toMatchObject([{ severity: 'warning' }]);
    expect(problemsOf(script([fill], { variables: { user: 'x' } }))).toMatchObject([
      { severity: 'error', path: '$.steps[0].value', suggestion: 'user' },
    ]);
    for (const variables of [['usr'], { usr: 1 }]) {
      expect(parseScript(script([fill], { variables: { user: 'x' } }), { variables })).toMatchObject({
        ok: true,
      });
    }
  });

  test('saved values, loops and earlier data define names, each where it holds', () => {
    const use = (name: string): JsonObject => ({ action: 'click', selector: `{{${name}}}` });
    const declared = { variables: { a: 1 } };
    expect(
      errorsOf(script([{ action: 'wait', save_as: 'b' }, use('b.c'), use('step_1_data')], declared)),
    ).toEqual([]);
    const loop = (inner: JsonObject): JsonObject => ({
      action: 'for_each',
      items: [1],
      as: 'row',
      steps: [inner],
    });
    expect(errorsOf(script([loop(use('row.x')), loop(use('row_index'))], declared))).toEqual([]);
    expect(errorsOf(script([loop(use('a')), use('row')], declared))).toHaveLength(1);
  });

  test('steps that templates name must be there, unless others are included', () => {
    const use = { action: 'click', selector: '{{steps.Raed.data.x}}' };
    const read = { action: 'wait', name: 'Read' };
    expect(problemsOf(script([read, use]))).toMatchObject([{ severity: 'error', suggestion: 'Read' }]);
    expect(errorsOf(script([read, use, { action: 'include', script: 'other' }]))).toEqual([]);
    expect(errorsOf(script([{ action: 'wait', name: 'Read {{n}}' }, use]))).toEqual([]);
    expect(
      errorsOf(
        script([
          { action: 'click', selector: '{{steps.Starting page.url}} {{steps.described.x}}' },
          { action: 'wait', description: 'described' },
        ]),
      ),
    ).toEqual([]);
  });

  test('templates where they are not read are a warning', () => {
    expect(problemsOf(script([{ action: 'wait' }], { session: { profile_name: '{{p}}' } }))).toMatchObject([
      { severity: 'warning', path: '$.session.profile_name' },
    ]);
    expect(problemsOf(script([{ action: 'wait' }], { output: { a: '{{p}}' } }))).toMatchObject([
      { path: '$.output.a' },
    ]);
  });

  test('the verification after sign-in is read like a condition of a step: its templates and patterns are checked', () => {
    const verified = (pattern: string): JsonObject =>
      script([{ action: 'wait' }], {
        variables: { site: 'a' },
        session: { post_login_verification: { type: 'url_matches', pattern } },
      });
    expect(problemsOf(verified('{{site}}/home'))).toEqual([]);
    expect(problemsOf(verified('{{sit}}/home'))).toMatchObject([
      { severity: 'error', path: '$.session.post_login_verification.pattern' },
    ]);
    expect(problemsOf(verified('(home'))).toMatchObject([
      { severity: 'error', path: '$.session.post_login_verification.pattern' },
    ]);
  });
});

describe('any input', () => {
  /** Problems with paths, or a script that stays the same when it is parsed again. */
  const isInOrder = (source: unknown): boolean => {
    const result = parseScript(source);
    if (result.ok) {
      const again = parseScript(result.script);
      return again.ok && isDeepStrictEqual(again.script, result.script);
    }
    return (
      result.problems.some(({ severity }) => severity === 'error') &&
      result.problems.every(({ path, message }) => path.startsWith('$') && message !== '')
    );
  };
  const words = [
    'name',
    'steps',
    'action',
    'type',
    'click',
    'if',
    'then',
    'else',
    'goto',
    'try',
    'strategies',
    'selector',
    'locator',
    'strategy',
    'value',
    'condition',
    'conditions',
    'and',
    'text_visible',
    'retry',
    'retry_if',
    'x',
    '{{x}}',
    'for_each',
    'items',
    'escalate',
    'extract_dom',
    'extractions',
    'variables',
    'session',
    '__proto__',
    'constructor',
    'toString',
    'press',
    'keys',
    'download',
    'trigger',
    'switch',
    'cases',
    'default',
    'wait',
    'sequence',
    'url_matches',
    'pattern',
    '(',
  ];
  const { value: likely } = fc.letrec<{ value: JsonValue; object: JsonValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom(...words),
      fc.constantFrom(0, 1, -1, true, null, ''),
      fc.array(tie('value'), { maxLength: 4 }),
      tie('object'),
    ) as fc.Arbitrary<JsonValue>,
    object: fc.dictionary(fc.constantFrom(...words), tie('value'), { maxKeys: 6 }) as fc.Arbitrary<JsonValue>,
  }));

  test('text never makes the parser throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(isInOrder(text)).toBe(true);
      }),
    );
  });

  test('values of any kind never make the parser throw', () => {
    const anything = fc.anything({ withBigInt: true, withMap: true, withDate: true });
    fc.assert(
      fc.property(anything, (value) => {
        expect(isInOrder(value)).toBe(true);
      }),
    );
  });

  test('things that look like scripts never make the parser throw, and what parses stays the same when parsed again', () => {
    const step = fc.dictionary(fc.constantFrom(...words), likely, { maxKeys: 5 });
    const acting = fc
      .tuple(
        fc.constantFrom(
          'click',
          'if',
          'try',
          'switch',
          'for_each',
          'press',
          'extract_dom',
          'download',
          'assert',
          'wait',
          'sequence',
          'goto',
          'act',
        ),
        step,
      )
      .map(([action, rest]) => ({ ...rest, action }));
    fc.assert(
      fc.property(fc.array(acting, { minLength: 1, maxLength: 4 }), likely, (steps, variables) => {
        expect(isInOrder({ name: 'T', steps, variables })).toBe(true);
        expect(isInOrder(JSON.stringify({ name: 'T', steps, session: variables }))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
