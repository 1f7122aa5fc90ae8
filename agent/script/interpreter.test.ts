import { describe, expect, test } from 'vitest';
import { RecordedPorts, parsed, run } from '../../test/support/script-ports.ts';
import { AgentError } from '../base/errors.ts';
import type { JsonObject, JsonValue } from '../base/words.ts';
import type { ActionResult } from './interpreter.ts';
import type { LeafStep } from './schema.ts';

const click = (selector: string, more: JsonObject = {}): JsonObject => ({
  action: 'click',
  selector,
  ...more,
});
const script = (steps: JsonValue[], more: JsonObject = {}): JsonObject => ({ name: 'Test', steps, ...more });
const selectorOf = (step: LeafStep): string =>
  'locator' in step && step.locator?.strategy === 'selector' ? step.locator.value : step.action;
const selectors = (ports: RecordedPorts): string[] => ports.performed.map(selectorOf);

/** Clicks whose selector begins with `bad` fail. */
function act(step: LeafStep): ActionResult {
  if (selectorOf(step).startsWith('bad'))
    throw new AgentError('BrowserAgent.ElementNotFound', `no ${selectorOf(step)}`, {
      data: { url: 'http://x/' },
    });
  return { url: 'http://x/' };
}

describe('order and results', () => {
  test('steps run in order, numbered from 1, journalled before and after they act', async () => {
    const ports = new RecordedPorts();
    const outcome = await run(script([click('#a', { name: 'First' }), click('#b')]), ports);
    expect(ports.log).toEqual([
      'started 1',
      'perform 1',
      'finished 1',
      'started 2',
      'perform 2',
      'finished 2',
    ]);
    expect(outcome).toMatchObject({ success: true, endedBy: 'end', stepsTotal: 2 });
    expect(outcome.steps.map(({ step_number, name }) => [step_number, name])).toEqual([
      [1, 'First'],
      [2, 'click 2'],
    ]);
  });

  test('the starting page is the first step, and counts', async () => {
    const ports = new RecordedPorts();
    const outcome = await run(
      script([click('#a')], { starting_page: 'https://{{host}}/', variables: { host: 'x.test' } }),
      ports,
    );
    expect(ports.performed[0]).toMatchObject({
      action: 'navigate',
      url: 'https://x.test/',
      name: 'Starting page',
    });
    expect(ports.started.map(({ path }) => path)).toEqual(['$.starting_page', '$.steps[0]']);
    expect(outcome.stepsTotal).toBe(2);
  });

  test('a failed step ends the run, with its error, its url and its place', async () => {
    const ports = new RecordedPorts(act);
    const outcome = await run(script([click('bad', { name: 'Broken' }), click('#b')]), ports);
    expect(outcome).toMatchObject({
      success: false,
      endedBy: 'error',
      failedStep: { name: 'Broken', path: '$.steps[0]' },
    });
    expect(outcome.error?.errorName).toBe('BrowserAgent.ElementNotFound');
    expect(outcome.steps).toHaveLength(1);
    expect(outcome.steps[0]).toMatchObject({
      success: false,
      url: 'http://x/',
      error: { name: 'BrowserAgent.ElementNotFound' },
    });
  });

  test('an error that is no AgentError is BrowserAgent.Internal', async () => {
    const ports = new RecordedPorts(() => {
      throw new TypeError('oops');
    });
    expect((await run(script([click('#a')]), ports)).error?.errorName).toBe('BrowserAgent.Internal');
  });

  test('a key or sensitive step says so; navigating and asking a person always is key', async () => {
    const ports = new RecordedPorts();
    await run(
      script([
        click('#a', { key: true }),
        click('#b', { sensitive: true }),
        { action: 'navigate', url: 'http://x' },
      ]),
      ports,
    );
    expect(ports.started.map(({ key, sensitive }) => [key, sensitive])).toEqual([
      [true, false],
      [false, true],
      [true, false],
    ]);
  });

  test('an action gives fields, a value to save, and data', async () => {
    const ports = new RecordedPorts((step) =>
      step.action === 'execute_js'
        ? { fields: { result: 7 }, value: 7 }
        : step.action === 'extract_dom'
          ? { data: { price: 3 } }
          : {},
    );
    const outcome = await run(
      script([
        { action: 'execute_js', script: '7', save_as: 'seven', name: 'Js' },
        {
          action: 'extract_dom',
          name: 'Read',
          extractions: [{ name: 'price', selector: '.p' }],
          save_as: 'read',
        },
        click('#{{seven}}-{{read.price}}-{{steps.Js.value}}-{{steps.Js.result}}-{{steps.Read.data.price}}'),
        click('{{step_2_data.price}}'),
        click('#n', { save_as: 'nothing' }),
        { action: 'assert', condition: { type: 'variable', name: 'nothing', equals: null } },
      ]),
      ports,
    );
    expect(outcome).toMatchObject({ success: true, data: { Read: { price: 3 } } });
    expect(selectors(ports).slice(2)).toEqual(['#7-3-7-7-3', '3', '#n']);
    expect(outcome.steps[0]).toMatchObject({ result: 7 });
  });

  test('a journal that cannot be written ends the run, even inside a try', async () => {
    const failing = async (): Promise<void> => {
      throw new AgentError('BrowserAgent.Internal', 'disk full');
    };
    const tryStep = { action: 'try', strategies: [{ steps: [click('#a')] }, { steps: [click('#b')] }] };
    const ports = new RecordedPorts(act);
    const stepFinished = ports.stepFinished;
    ports.stepFinished = async (meta, result) =>
      meta.action === 'click' ? failing() : stepFinished(meta, result);
    const outcome = await run(script([tryStep]), ports);
    expect(outcome).toMatchObject({ success: false, endedBy: 'error', error: { message: 'disk full' } });
    expect(selectors(ports)).toEqual(['#a']);
    const atFirst = new RecordedPorts(act, { stepStarted: failing });
    expect(await run(script([click('#a')]), atFirst)).toMatchObject({ success: false, steps: [] });
    expect(atFirst.performed).toEqual([]);
  });
});

describe('going on after failures', () => {
  test('continue_on_error goes on, and the run succeeds', async () => {
    const ports = new RecordedPorts(act);
    const outcome = await run(script([click('bad', { continue_on_error: true }), click('#b')]), ports);
    expect(outcome.success).toBe(true);
    expect(outcome.steps.map(({ success }) => success)).toEqual([false, true]);
  });

  test('with abort_on_error false the run goes on and is not a success; the first failure is told', async () => {
    const ports = new RecordedPorts(act);
    const outcome = await run(
      script([click('bad1'), click('#b'), click('bad2')], { abort_on_error: false }),
      ports,
    );
    expect(outcome).toMatchObject({ success: false, endedBy: 'error', error: { message: 'no bad1' } });
    expect(outcome.steps).toHaveLength(3);
  });

  test('with abort_on_error false a failure inside a step leaves that step, and the run goes on at the top', async () => {
    const ports = new RecordedPorts(act);
    const inner = { action: 'sequence', steps: [click('bad'), click('#skipped')], next: 'Last' };
    await run(
      script([inner, click('#jumped'), click('#last', { name: 'Last' })], { abort_on_error: false }),
      ports,
    );
    expect(selectors(ports)).toEqual(['bad', '#last']);
  });

  test('a fail step ends the run with its own error, whatever the script tolerates', async () => {
    const ports = new RecordedPorts(act);
    const outcome = await run(
      script(
        [
          {
            action: 'fail',
            error: 'Shop.Closed',
            message: 'come {{when}}',
            continue_on_error: true,
            retry: { attempts: 3 },
          },
          click('#b'),
        ],
        {
          abort_on_error: false,
          variables: { when: 'later' },
        },
      ),
      ports,
    );
    expect(outcome).toMatchObject({
      success: false,
      endedBy: 'fail',
      error: { errorName: 'Shop.Closed', message: 'come later' },
    });
    expect(outcome.steps).toHaveLength(1);
    expect((await run(script([{ action: 'error' }]))).error?.message).toContain('"fail 1"');
  });
});

describe('branches and jumps', () => {
  const cases: [string, JsonObject, boolean, string[]][] = [
    ['a step', { then: click('#t'), else: click('#e') }, true, ['#t', '#end']],
    ['a list', { then: [click('#1'), click('#2')] }, true, ['#1', '#2', '#end']],
    ['steps in an object', { else: { steps: [click('#e')] } }, false, ['#e', '#end']],
    ['a goto', { then: { goto: 'End' }, else: click('#e') }, true, ['#end']],
    ['continue', { then: { continue: true }, else: click('#e') }, true, ['#mid', '#end']],
    ['nothing', { then: click('#t') }, false, ['#mid', '#end']],
  ];
  test.each(cases)('a branch may be %s', async (_what, branches, met, expected) => {
    const ports = new RecordedPorts(act, { evaluate: async () => ({ met }) });
    const middle = expected.includes('#mid') || expected.length === 1 ? [click('#mid')] : [];
    const outcome = await run(
      script([
        { action: 'if', condition: { type: 'url_contains', pattern: 'x' }, ...branches },
        ...middle,
        click('#end', { name: 'End' }),
      ]),
      ports,
    );
    expect(outcome.success).toBe(true);
    expect(selectors(ports)).toEqual(expected);
    expect(outcome.steps[0]).toMatchObject({ action: 'if', condition: met });
  });

  test('a goto inside leaves at once, to the nearest list around it that has the name', async () => {
    const ports = new RecordedPorts(act);
    await run(
      script([
        {
          action: 'sequence',
          steps: [
            { action: 'sequence', steps: [{ action: 'goto', target: 'Here' }, click('#never')] },
            click('#no'),
            click('#here', { name: 'Here', end: true }),
          ],
        },
        click('#outer', { name: 'Here' }),
      ]),
      ports,
    );
    expect(selectors(ports)).toEqual(['#here']);
  });

  test('next and end steer any step; a skipped step steers nothing', async () => {
    const ports = new RecordedPorts(act);
    const outcome = await run(
      script(
        [
          click('#a', { next: 'C', when: { type: 'variable', name: 'go', equals: false } }),
          click('#b', { next: 'D' }),
          click('#c', { name: 'C' }),
          click('#d', { name: 'D', end: true }),
          click('#e'),
        ],
        { variables: { go: true } },
      ),
      ports,
    );
    expect(selectors(ports)).toEqual(['#b', '#d']);
    expect(outcome.steps[0]).toMatchObject({ success: true, skipped: true });
    expect(outcome.endedBy).toBe('end');
  });

  test('a target made by a template that names no step is an error', async () => {
    const outcome = await run(
      script([{ action: 'goto', target: '{{where}}' }], { variables: { where: 'Mars' } }),
    );
    expect(outcome).toMatchObject({ success: false, error: { errorName: 'BrowserAgent.InvalidScript' } });
    expect(outcome.error?.message).toContain('"Mars"');
  });

  test('switch takes the first case that holds, else its default', async () => {
    const step = {
      action: 'switch',
      cases: [
        { condition: { type: 'variable', name: 'n', equals: 1 }, steps: [click('#one')] },
        { condition: { type: 'variable', name: 'n', equals: 2 }, steps: [click('#two')] },
      ],
      default: { steps: [click('#other')] },
    };
    for (const [n, expected, chosen] of [
      [1, '#one', 0],
      [2, '#two', 1],
      [3, '#other', 'default'],
    ] as const) {
      const ports = new RecordedPorts(act);
      const outcome = await run(script([step], { variables: { n } }), ports);
      expect(selectors(ports)).toEqual([expected]);
      expect(outcome.steps[0]).toMatchObject({ case: chosen });
    }
  });

  test('succeed ends the run there, with a message and data of its own', async () => {
    const ports = new RecordedPorts(act);
    const outcome = await run(
      script(
        [
          {
            action: 'sequence',
            steps: [{ action: 'succeed', message: 'done {{n}}', output: { n: '{{n}}' } }],
          },
          click('#b'),
        ],
        { variables: { n: 5 } },
      ),
      ports,
    );
    expect(outcome).toMatchObject({ success: true, endedBy: 'succeed', message: 'done 5', data: { n: 5 } });
    expect(ports.performed).toEqual([]);
    const list = await run(script([{ action: 'succeed', output: [1] }]));
    expect(list.data).toEqual({ output: [1] });
  });
});

describe('try', () => {
  const tryStep = (...strategies: JsonObject[]): JsonObject => ({ action: 'try', name: 'Try', strategies });

  test('the first strategy that works ends it; failed ones before do not fail the run', async () => {
    const ports = new RecordedPorts(act);
    const outcome = await run(
      script([
        tryStep({ steps: [click('bad')] }, { name: 'B', steps: [click('#b')] }, { steps: [click('#c')] }),
      ]),
      ports,
    );
    expect(outcome.success).toBe(true);
    expect(outcome.steps[0]).toMatchObject({ strategy: 'B' });
    expect(selectors(ports)).toEqual(['bad', '#b']);
  });

  test('a strategy whose verify does not hold has not worked', async () => {
    const ports = new RecordedPorts(act, {
      evaluate: async (condition) => ({ met: condition.type === 'url_equals' }),
    });
    const outcome = await run(
      script([
        tryStep(
          { steps: [click('#a')], verify: { type: 'url_contains', pattern: 'x' } },
          { steps: [click('#b')], verify: { type: 'url_equals', url: 'x' } },
        ),
      ]),
      ports,
    );
    expect(outcome.steps[0]).toMatchObject({ strategy: 'strategy 2' });
  });

  test('when none works the error says why, strategy by strategy, under the last error name', async () => {
    const ports = new RecordedPorts(act, { evaluate: async () => ({ met: false }) });
    const failing = tryStep(
      { name: 'A', steps: [click('#a')], verify: { type: 'url_contains', pattern: 'x' } },
      { name: 'B', steps: [click('bad')] },
    );
    const outcome = await run(script([failing]), ports);
    expect(outcome.error?.errorName).toBe('BrowserAgent.ElementNotFound');
    expect(outcome.error?.message).toMatch(/"Try".*A: its steps worked.*B: no bad/s);
    const unverified = tryStep({ steps: [], verify: { type: 'url_contains', pattern: 'x' } });
    expect((await run(script([unverified]), ports)).error?.errorName).toBe('BrowserAgent.StepFailed');
  });

  test('a fail step inside fails its strategy only', async () => {
    const ports = new RecordedPorts(act);
    const outcome = await run(
      script([tryStep({ steps: [{ action: 'fail' }] }, { steps: [click('#b')] })]),
      ports,
    );
    expect(outcome.success).toBe(true);
  });

  test('human_intervention asks the person', async () => {
    const ports = new RecordedPorts(act);
    const outcome = await run(
      script([tryStep({ escalate: { type: 'human_intervention', message: 'Help', timeout: 5000 } })]),
      ports,
    );
    expect(outcome.success).toBe(true);
    expect(ports.asked).toEqual([{ message: 'Help', timeoutMs: 5000 }]);
  });

  test('an escalation to a model that is not there is an error that names what to use instead, never a success', async () => {
    const outcome = await run(
      script([
        tryStep({
          escalate: { type: 'vision_llm', prompt: 'Log in' },
          verify: { type: 'url_contains', pattern: 'x' },
        }),
      ]),
    );
    expect(outcome).toMatchObject({ success: false, error: { errorName: 'BrowserAgent.StepFailed' } });
    expect(outcome.error?.message).toMatch(/no model connected\. Use click, fill/);
  });

  test('progressive_escalation clicks what its chain or its target finds', async () => {
    const ports = new RecordedPorts(act);
    const chain = [
      { method: 'playwright_locator', locator: { strategy: 'text', value: 'Go' } },
      { method: 'vision_find_element', prompt: 'x' },
    ];
    await run(
      script([
        tryStep({ escalate: { type: 'progressive_escalation', chain } }),
        tryStep({ escalate: { type: 'progressive_escalation', target: '#t' } }),
      ]),
      ports,
    );
    expect(ports.performed).toMatchObject([
      { action: 'click', escalation_chain: [{}, {}] },
      { action: 'click', locator: { value: '#t' } },
    ]);
  });

  test('a jump out of a strategy is not verified', async () => {
    const ports = new RecordedPorts(act, { evaluate: async () => ({ met: false }) });
    const outcome = await run(
      script([
        tryStep({
          steps: [{ action: 'goto', target: 'End' }],
          verify: { type: 'url_contains', pattern: 'x' },
        }),
        click('#no'),
        click('#end', { name: 'End' }),
      ]),
      ports,
    );
    expect(outcome.success).toBe(true);
    expect(selectors(ports)).toEqual(['#end']);
  });
});

describe('loops', () => {
  const read = {
    action: 'extract_dom',
    name: 'Read',
    extractions: [{ name: 'id', selector: '#{{row.id}}' }],
  };
  const loop = (items: JsonValue, more: JsonObject = {}): JsonObject => ({
    action: 'for_each',
    name: 'Loop',
    items,
    as: 'row',
    steps: [read],
    ...more,
  });
  const echo = (step: LeafStep): ActionResult =>
    step.action === 'extract_dom' ? { data: { id: step.extractions[0]!.selector! } } : act(step);

  test('each item in turn, its index beside it, and what was read becomes a list', async () => {
    const ports = new RecordedPorts(echo);
    const outcome = await run(
      script([loop('{{rows}}', { steps: [read, click('#{{row_index}}')] })], {
        variables: { rows: [{ id: 'a' }, { id: 'b' }] },
      }),
      ports,
    );
    expect(outcome.data).toEqual({ Read: [{ id: '#a' }, { id: '#b' }] });
    expect(outcome.steps[0]).toMatchObject({ items: 2, finished: 2 });
    expect(selectors(ports)).toEqual(['extract_dom', '#0', 'extract_dom', '#1']);
  });

  test('limit takes the first items only; the loop variable is as before afterwards', async () => {
    const ports = new RecordedPorts(echo);
    const outcome = await run(
      script([loop([{ id: 1 }, { id: 2 }, { id: 3 }], { limit: '{{max}}' }), click('{{row}}')], {
        variables: { max: 2, row: 'kept' },
      }),
      ports,
    );
    expect(outcome.steps[0]).toMatchObject({ items: 3, finished: 2 });
    expect(selectors(ports).at(-1)).toBe('kept');
  });

  test('a loop of more items than a step has visits runs them all', async () => {
    const outcome = await run(
      script([loop(Array.from({ length: 50 }, (_, id) => ({ id })))]),
      new RecordedPorts(echo),
    );
    expect(outcome.steps).toHaveLength(51);
  });

  test('a failed item ends the loop, or with abort_on_error false only its own turn', async () => {
    const items = [{ id: 'x' }, { id: 'y' }];
    const body = { steps: [click('{{row.id}}')] };
    const failX = (step: LeafStep): ActionResult =>
      act(
        selectorOf(step) === 'x'
          ? { action: 'click', locator: { strategy: 'selector', value: 'bad' } }
          : step,
      );
    const strict = new RecordedPorts(failX);
    expect((await run(script([loop(items, body)]), strict)).success).toBe(false);
    expect(selectors(strict)).toEqual(['x']);
    const tolerant = new RecordedPorts(failX);
    expect((await run(script([loop(items, body)], { abort_on_error: false }), tolerant)).success).toBe(false);
    expect(selectors(tolerant)).toEqual(['x', 'y']);
  });

  test('a jump leaves the loop; items that are no list are an error that names the step', async () => {
    const ports = new RecordedPorts(echo);
    await run(
      script([
        loop([1, 2], { steps: [{ action: 'goto', target: 'Out' }] }),
        click('#no'),
        click('#out', { name: 'Out' }),
      ]),
      ports,
    );
    expect(selectors(ports)).toEqual(['#out']);
    const outcome = await run(script([loop('{{rows}}')], { variables: { rows: 'text' } }));
    expect(outcome.error?.message).toContain('"Loop"');
  });
});

describe('limits', () => {
  test('a step reached too often ends the run, naming the step', async () => {
    const outcome = await run(script([click('#a', { name: 'Again', next: 'Again' })]));
    expect(outcome.steps).toHaveLength(10);
    expect(outcome.error?.message).toMatch(/"Again".*more than 10 times/);
    const more = await run(
      script([click('#a', { name: 'Again', next: 'Again' })], { limits: { max_visits: 3 } }),
    );
    expect(more.steps).toHaveLength(3);
  });

  test('too many steps end the run, even inside a try', async () => {
    const items = Array.from({ length: 30 }, (_, index) => index);
    const loop = { action: 'for_each', items, steps: [click('#a')] };
    const tryStep = { action: 'try', strategies: [{ steps: [loop] }, { steps: [click('#b')] }] };
    const outcome = await run(script([tryStep]), new RecordedPorts(), { limits: { maxSteps: 20 } });
    expect(outcome.steps).toHaveLength(20);
    expect(outcome.error?.message).toContain('limit of 20 steps');
    const own = await run(script([tryStep], { limits: { max_steps: 5 } }), new RecordedPorts(), {
      limits: { maxSteps: 20 },
    });
    expect(own.steps).toHaveLength(5);
    expect(own.error?.message).toContain('limits.max_steps of the script');
  });

  test('a script lowers the limits that the machine sets and never raises them; without any, its own hold', async () => {
    const again = (limits: JsonObject): JsonObject =>
      script([click('#a', { name: 'Again', next: 'Again' })], { limits });
    const machine = { limits: { maxSteps: 6, maxVisits: 4 } };
    const visits = await run(again({ max_visits: 50, max_steps: 50 }), new RecordedPorts(), machine);
    expect(visits.steps).toHaveLength(4);
    expect(visits.error?.message).toContain('run.max_visits in the settings of this machine');

    const items = Array.from({ length: 30 }, (_, index) => index);
    const long = script([{ action: 'for_each', items, steps: [click('#a')] }], { limits: { max_steps: 50 } });
    const steps = await run(long, new RecordedPorts(), machine);
    expect(steps.steps).toHaveLength(6);
    expect(steps.error?.message).toContain('run.max_steps in the settings of this machine');

    expect((await run(again({ max_visits: 3 }), new RecordedPorts(), machine)).steps).toHaveLength(3);
    const free = await run(again({ max_visits: 50 }));
    expect(free.steps).toHaveLength(50);
    expect(free.error?.message).toContain('limits.max_visits of the script');
    const plain = await run(again({}));
    expect(plain.steps).toHaveLength(10);
    expect(plain.error?.message).toContain('limits.max_visits of the script');
  });
});

describe('time', () => {
  const never = (_step: LeafStep, _meta: unknown, signal: AbortSignal): Promise<ActionResult> =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('stopped')));
    });

  test('a step that takes too long is aborted with StepTimeout', async () => {
    const ports = new RecordedPorts(never);
    const outcome = await run(script([click('#a', { timeout: 2000, name: 'Slow' })]), ports);
    expect(outcome.error?.errorName).toBe('BrowserAgent.StepTimeout');
    expect(outcome.error?.message).toContain('"Slow"');
    expect(ports.clock.now()).toBe(3000);
  });

  test('an action that ignores its signal is left behind', async () => {
    const ports = new RecordedPorts(() => Promise.withResolvers<ActionResult>().promise);
    const outcome = await run(
      script([
        click('#a', { timeout: 1000, continue_on_error: true }),
        { action: 'goto', target: 'End' },
        { action: 'sequence', name: 'End', steps: [] },
      ]),
      ports,
    );
    expect(outcome.success).toBe(true);
    expect(ports.clock.now()).toBe(7000);
  });

  test('the run has a time of its own, which nothing inside tolerates', async () => {
    const ports = new RecordedPorts(never);
    const outcome = await run(
      script([click('#a', { timeout: 60_000, continue_on_error: true }), click('#b')], {
        timeout: 5000,
        abort_on_error: false,
      }),
      ports,
    );
    expect(outcome).toMatchObject({
      success: false,
      endedBy: 'error',
      error: { errorName: 'BrowserAgent.RunTimeout' },
    });
    expect(outcome.steps).toHaveLength(1);
  });

  test('what a step waits by its own words comes on top of the usual time', async () => {
    const waits = async (step: LeafStep, _meta: unknown, signal: AbortSignal): Promise<ActionResult> => {
      await ports.clock.sleep(step.action === 'type' ? 63_000 : 65_000, signal);
      return {};
    };
    const ports = new RecordedPorts(waits);
    const outcome = await run(
      script([
        { action: 'wait', duration: 65_000 },
        { action: 'wait', duration_range: [1, 65_000] },
        { action: 'press', keys: ['a', 'b'], delay: 4000 },
        { action: 'type', selector: '#a', value: 'abcde', delay: 1000 },
      ]),
      ports,
    );
    expect(outcome.success).toBe(true);
  });

  test('delay comes before the step, default_delay before steps that act', async () => {
    const at: number[] = [];
    const ports = new RecordedPorts(() => {
      at.push(ports.clock.now());
      return {};
    });
    await run(
      script(
        [
          click('#a'),
          { action: 'sequence', steps: [click('#b', { delay: { min: 100, max: 300 } })] },
          click('#c', { delay: 0 }),
          click('#d', { delay: '{{pause}}' }),
        ],
        {
          starting_page: 'http://x',
          default_delay: 1000,
          variables: { pause: 7 },
        },
      ),
      ports,
    );
    expect(at).toEqual([0, 1000, 1200, 1200, 1207]);
  });

  test('a base field whose template gives nonsense is an error that names the step', async () => {
    const outcome = await run(
      script([click('#a', { name: 'Odd', timeout: '{{t}}' })], { variables: { t: 'soon' } }),
    );
    expect(outcome.error?.message).toContain('"Odd"');
    expect(outcome.error?.errorName).toBe('BrowserAgent.InvalidInput');
  });
});

describe('cancelling', () => {
  test('an aborted signal ends the run before its next step, with the reason as its error', async () => {
    const controller = new AbortController();
    const ports = new RecordedPorts(() => {
      controller.abort(new AgentError('BrowserAgent.Cancelled', 'stop'));
      return {};
    });
    const outcome = await run(script([click('#a'), click('#b')]), ports, { signal: controller.signal });
    expect(outcome).toMatchObject({ success: false, endedBy: 'cancelled', error: { message: 'stop' } });
    expect(selectors(ports)).toEqual(['#a']);
  });

  test('the reason of another kind keeps its name; one that is no AgentError cancels', async () => {
    for (const [reason, name, endedBy] of [
      [new AgentError('BrowserAgent.BrowserUnavailable', 'gone'), 'BrowserAgent.BrowserUnavailable', 'error'],
      [new Error('lease lost'), 'BrowserAgent.Cancelled', 'cancelled'],
    ] as const) {
      const outcome = await run(script([click('#a')]), new RecordedPorts(), {
        signal: AbortSignal.abort(reason),
      });
      expect(outcome).toMatchObject({ endedBy, error: { errorName: name }, steps: [] });
    }
  });

  test('the running action is aborted, and its step has a result', async () => {
    const controller = new AbortController();
    const ports = new RecordedPorts((_step, _meta, signal) => {
      const { promise, reject } = Promise.withResolvers<ActionResult>();
      signal.addEventListener('abort', () => reject(new Error('closed')));
      controller.abort(new AgentError('BrowserAgent.Cancelled', 'stop'));
      return promise;
    });
    const tryStep = {
      action: 'try',
      strategies: [
        { steps: [click('#a', { retry: { attempts: 3 }, continue_on_error: true })] },
        { steps: [click('#b')] },
      ],
    };
    const outcome = await run(script([tryStep], { abort_on_error: false }), ports, {
      signal: controller.signal,
    });
    expect(outcome.endedBy).toBe('cancelled');
    expect(selectors(ports)).toEqual(['#a']);
    expect(ports.finished).toHaveLength(2);
  });
});

describe('retry', () => {
  const failTimes = (times: number) => {
    let left = times;
    return (): ActionResult => {
      if (left-- > 0) throw new AgentError('BrowserAgent.StepFailed', 'not yet');
      return {};
    };
  };

  test('a failed step is repeated, with growing pauses, and says how often', async () => {
    const ports = new RecordedPorts(failTimes(2));
    const outcome = await run(
      script([click('#a', { retry: { attempts: 3, delay_ms: 100, backoff: 2 } })]),
      ports,
    );
    expect(outcome.steps).toMatchObject([{ success: true, attempts: 3 }]);
    expect(ports.metas.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(ports.clock.now()).toBe(300);
    expect(ports.started).toHaveLength(1);
  });

  test('after the last attempt its error stands', async () => {
    const outcome = await run(
      script([click('#a', { retry: { attempts: '{{n}}' } })], { variables: { n: 2 } }),
      new RecordedPorts(failTimes(9)),
    );
    expect(outcome).toMatchObject({ error: { message: 'not yet' }, steps: [{ attempts: 2 }] });
  });

  test('errors that another attempt cannot mend are not repeated', async () => {
    const ports = new RecordedPorts(() => {
      throw new AgentError('BrowserAgent.PolicyDenied', 'no');
    });
    await run(script([{ action: 'sequence', steps: [click('#a')], retry: 5 }]), ports);
    expect(ports.performed).toHaveLength(1);
  });

  test('a whole block can be repeated', async () => {
    const ports = new RecordedPorts(failTimes(1));
    const outcome = await run(
      script([{ action: 'sequence', steps: [click('#a'), click('#b')], retry: { attempts: 2 } }]),
      ports,
    );
    expect(outcome.success).toBe(true);
    expect(selectors(ports)).toEqual(['#a', '#a', '#b']);
  });

  test('retry_if is read after a step that worked: a page that says "unavailable" is retried', async () => {
    let answers = [true, true, false];
    const ports = new RecordedPorts(act, { evaluate: async () => ({ met: answers.shift() ?? true }) });
    const retry = { attempts: 5, delay_ms: 10, retry_if: { text_visible: 'unavailable' } };
    expect((await run(script([click('#a', { retry })]), ports)).steps).toMatchObject([
      { success: true, attempts: 3 },
    ]);
    answers = [];
    const outcome = await run(script([click('#a', { retry })]), ports);
    expect(outcome.error?.message).toContain('"retry_if" still holds after 5 attempts');
  });

  test('a failed step is not repeated when retry_if does not hold', async () => {
    const ports = new RecordedPorts(act, { evaluate: async () => ({ met: false }) });
    const outcome = await run(
      script([click('bad', { retry: { attempts: 5, retry_if: { text_visible: 'x' } } })]),
      ports,
    );
    expect(ports.performed).toHaveLength(1);
    expect(outcome.error?.message).toBe('no bad');
  });
});

describe('conditions', () => {
  const assert = (condition: JsonObject, more: JsonObject = {}): JsonObject => ({
    action: 'assert',
    condition,
    ...more,
  });
  const page = (pattern: string): JsonObject => ({ type: 'url_contains', pattern });
  const ports = (): RecordedPorts =>
    new RecordedPorts(act, {
      evaluate: async (condition) => {
        if (condition.type !== 'url_contains') return { met: false };
        if (condition.pattern === 'throws') throw new Error('boom');
        if (condition.pattern === 'error') return { met: false, error: 'bad selector' };
        return { met: condition.pattern === 'yes' };
      },
    });
  const holds = async (condition: JsonObject, variables: JsonObject = {}): Promise<boolean> =>
    (await run(script([assert(condition)], { variables }), ports())).success;

  test('and, or, not combine', async () => {
    const [yes, no] = [page('yes'), page('no')];
    expect(await holds({ type: 'and', conditions: [yes, yes] })).toBe(true);
    expect(await holds({ type: 'and', conditions: [yes, no] })).toBe(false);
    expect(await holds({ type: 'or', conditions: [no, yes] })).toBe(true);
    expect(await holds({ type: 'or', conditions: [no, no] })).toBe(false);
    expect(await holds({ type: 'not', condition: no })).toBe(true);
  });

  const variableCases: [JsonObject, JsonObject, boolean][] = [
    [{ name: 'a', equals: { x: [1] } }, { a: { default: { x: [1] } } }, true],
    [{ name: 'a.x.0', equals: 1 }, { a: { default: { x: [1] } } }, true],
    [{ name: 'a', equals: '{{b}}' }, { a: 5, b: 5 }, true],
    [{ name: 'a', contains: 'ell' }, { a: 'hello' }, true],
    [{ name: 'a', contains: 5 }, { a: 'h5' }, true],
    [{ name: 'a', contains: 2 }, { a: [1, 2] }, true],
    [{ name: 'a', contains: 'k' }, { a: { default: { k: 1 } } }, true],
    [{ name: 'a', contains: 1 }, { a: { default: { k: 1 } } }, false],
    [{ name: 'a', contains: 1 }, { a: 1 }, false],
    [{ name: 'a', exists: true }, { a: 1 }, true],
    [{ name: 'toString', exists: true }, {}, false],
    [{ name: 'nothing', exists: false }, {}, true],
    [{ name: 'steps.None.data', exists: false }, {}, true],
  ];
  test.each(variableCases)('variable %j with %j is %j', async (condition, variables, expected) => {
    expect(await holds({ type: 'variable', ...condition }, variables)).toBe(expected);
  });

  test('an error while looking counts as false and stands in the result', async () => {
    for (const pattern of ['throws', 'error']) {
      const outcome = await run(
        script([{ action: 'if', condition: page(pattern), then: click('#t'), else: click('#e') }]),
        ports(),
      );
      expect(outcome.steps[0]).toMatchObject({
        condition: false,
        condition_errors: [expect.stringContaining('url_contains')],
      });
    }
  });

  test('a lost browser is not a condition that does not hold', async () => {
    const lost = new RecordedPorts(act, {
      evaluate: async () => {
        throw new AgentError('BrowserAgent.BrowserUnavailable', 'crashed');
      },
    });
    expect((await run(script([assert(page('x'))]), lost)).error?.errorName).toBe(
      'BrowserAgent.BrowserUnavailable',
    );
  });

  test('a page that never answers counts as false', async () => {
    const stuck = new RecordedPorts(act, { evaluate: () => Promise.withResolvers<never>().promise });
    const outcome = await run(
      script([
        { action: 'if', condition: { type: 'element_exists', selector: '#a' }, then: [], else: click('#e') },
      ]),
      stuck,
    );
    expect(outcome.success).toBe(true);
    expect(selectors(stuck)).toEqual(['#e']);
  });

  test('an assertion that does not hold says its message, else itself', async () => {
    const said = await run(
      script([assert(page('no'), { message: 'No {{what}}!' })], { variables: { what: 'luck' } }),
      ports(),
    );
    expect(said.error).toMatchObject({ errorName: 'BrowserAgent.AssertionFailed', message: 'No luck!' });
    expect((await run(script([assert(page('no'))]), ports())).error?.message).toContain('"pattern":"no"');
  });

  test('an assertion about the address gives the page time to get there; one that waits by itself is asked once', async () => {
    let looks = 0;
    const slow = new RecordedPorts(act, { evaluate: async () => ({ met: (looks += 1) === 3 }) });
    expect((await run(script([assert(page('late'))]), slow)).success).toBe(true);
    expect(slow.clock.monotonic()).toBe(200);
    looks = 10;
    const visible = { type: 'element_visible', selector: '#a' };
    expect((await run(script([assert(visible)]), slow)).success).toBe(false);
    expect(looks).toBe(11);
    const both = {
      type: 'and',
      conditions: [
        { type: 'not', condition: page('x') },
        { type: 'js_eval', expression: '1', expected: 1 },
      ],
    };
    expect((await run(script([assert(both, { timeout: 300 })]), ports())).error?.message).toContain(
      'within 0.3 s',
    );
  });

  test('an undefined name in a condition is an error, not false', async () => {
    const outcome = await run(
      script([{ action: 'if', condition: page('{{nowhere}}'), then: click('#t') }]),
      ports(),
    );
    expect(outcome.error?.message).toContain('{{nowhere}}');
  });
});

describe('templates in steps', () => {
  test('every string of a step is resolved, whole templates keep their type', async () => {
    const ports = new RecordedPorts();
    await run(
      script(
        [
          { action: 'fill', name: 'Fill {{n}}', selector: '#{{n}}', value: '{{n}}', timeout: '{{t}}' },
          { action: 'press', keys: '{{keys}}' },
          { action: 'press', keys: '{{n}}' },
          { action: 'wait', duration: '{{t}}' },
          { action: 'execute_js', script: 'return `{{n}}`', args: { list: '{{keys}}' } },
        ],
        { variables: { n: 4, t: 500, keys: ['a', 'b'] } },
      ),
      ports,
    );
    expect(ports.performed).toMatchObject([
      { name: 'Fill 4', locator: { value: '#4' }, value: '4', timeout: 500 },
      { keys: ['a', 'b'] },
      { keys: ['4'] },
      { duration: 500 },
      { script: 'return `4`', args: { list: ['a', 'b'] } },
    ]);
  });

  test('an undefined name is an error that names the step', async () => {
    const outcome = await run(script([click('{{missing}}', { name: 'Click it' })]));
    expect(outcome.error).toMatchObject({ errorName: 'BrowserAgent.InvalidInput' });
    expect(outcome.error?.message).toMatch(/"Click it".*\{\{missing\}\}/s);
  });

  test('a value that does not fit its field is an error that names the step and the field', async () => {
    const outcome = await run(
      script([{ action: 'navigate', url: '{{u}}', name: 'Go' }], { variables: { u: [1] } }),
    );
    expect(outcome.error?.message).toMatch(/"Go".*"url"/s);
  });

  test('a name whose template is not defined stays as written, one that is not text becomes text', async () => {
    const ports = new RecordedPorts();
    await run(
      script(
        [click('#a', { name: '{{nope}}', continue_on_error: true }), click('#a', { name: '{{n}}' })],
        {},
      ),
      ports,
      { variables: { n: 3 } },
    );
    expect(ports.started.map(({ name }) => name)).toEqual(['{{nope}}', '3']);
  });

  test('secrets are told before they are used, secret variables at the start', async () => {
    const ports = new RecordedPorts();
    await run(
      script([{ action: 'fill', selector: '#p', value: '{{secret:PORTAL}}' }], {
        variables: { pin: { secret: true, default: 1234 } },
      }),
      ports,
    );
    expect(ports.secretsUsed).toEqual(['1234', 'value of PORTAL']);
    expect(ports.performed).toMatchObject([{ value: 'value of PORTAL' }]);
  });

  test('wrong variables fail the run before its first step', async () => {
    const outcome = await run(
      script([click('#a')], { variables: { n: { type: 'integer', required: true } } }),
    );
    expect(outcome).toMatchObject({
      success: false,
      steps: [],
      error: { errorName: 'BrowserAgent.InvalidInput' },
    });
  });

  test('output says what data holds, and an output that cannot be made fails the run', async () => {
    const ports = new RecordedPorts(() => ({ data: { price: 9 } }));
    const read = { action: 'extract_dom', name: 'Read', extractions: [{ name: 'price', selector: '.p' }] };
    const good = await run(
      script([read], {
        output: { total: '{{steps.Read.data.price}}', note: 'is {{steps.Read.data.price}}' },
      }),
      ports,
    );
    expect(good.data).toEqual({ total: 9, note: 'is 9' });
    const bad = await run(script([read], { output: { total: '{{steps.Read.data.none}}' } }), ports);
    expect(bad).toMatchObject({ success: false, data: { Read: { price: 9 } } });
  });

  test('conditions inside actions arrive resolved', async () => {
    const ports = new RecordedPorts();
    const condition = { type: 'url_contains', pattern: '{{p}}' };
    await run(
      script(
        [
          { action: 'validate_profile', mode: 'runtime', ui_condition: condition },
          { action: 'human', until: condition },
        ],
        { variables: { p: 'home' } },
      ),
      ports,
    );
    expect(ports.performed).toMatchObject([{ ui_condition: { pattern: 'home' } }]);
    expect(ports.asked).toMatchObject([{ until: { pattern: 'home' }, timeoutMs: 900_000 }]);
  });
});

describe('models', () => {
  test('every model step fails with StepFailed and names steps to use instead, and no setting', async () => {
    const steps: [JsonObject, RegExp][] = [
      [{ action: 'act', prompt: 'Do' }, /Use click, fill/],
      [{ action: 'act_with_schema', prompt: 'Do', schema: { type: 'string' } }, /then extract_dom/],
      [{ action: 'extract', prompt: 'Read' }, /Use extract_dom or extract_table/],
      [{ action: 'extract_by_llm', prompt: 'Read' }, /Use extract_dom or extract_table/],
      [{ action: 'select_by_llm', select_selector: 'select', target: 'x' }, /Use select,/],
      [
        { action: 'click', escalation_chain: [{ method: 'vision_find_element', prompt: 'x' }] },
        /Use the method playwright_locator/,
      ],
    ];
    for (const [step, instead] of steps) {
      const ports = new RecordedPorts();
      const outcome = await run(script([step]), ports);
      expect(outcome.error?.errorName).toBe('BrowserAgent.StepFailed');
      expect(outcome.error?.message).toMatch(instead);
      expect(outcome.error?.message).toContain('this version has no model connected');
      expect(outcome.error?.message).not.toMatch(/model\.|setting/);
      expect(ports.performed).toEqual([]);
    }
  });
});

describe('include', () => {
  const library = (scripts: Record<string, JsonObject>): RecordedPorts =>
    new RecordedPorts(act, {
      include: async (reference) => {
        const found = scripts[reference];
        if (!found) throw new AgentError('BrowserAgent.InvalidScript', `no script ${reference}`);
        return parsed(found);
      },
    });
  const include = (reference: string, more: JsonObject = {}): JsonObject => ({
    action: 'include',
    script: reference,
    ...more,
  });

  test('an included script sees the variables around it and those given to it; its own stay inside', async () => {
    const ports = library({
      'login@1': script([click('{{user}}-{{pin}}-{{extra}}', { save_as: 'inside' })], {
        variables: { user: { required: true }, pin: 0, extra: 'e' },
      }),
    });
    const outcome = await run(
      script(
        [
          include('login@1', { variables: { pin: '{{n}}' } }),
          { action: 'assert', condition: { type: 'variable', name: 'inside', exists: false } },
        ],
        { variables: { user: 'u', n: 4 } },
      ),
      ports,
    );
    expect(outcome.success).toBe(true);
    expect(selectors(ports)).toEqual(['u-4-e']);
    expect(ports.started.map(({ path }) => path)).toEqual(['$.steps[0]', 'login@1#$.steps[0]', '$.steps[1]']);
  });

  test('end and succeed end the included script, not the run; its output is the data of the include', async () => {
    const ports = library({
      a: script([{ action: 'succeed', output: { ok: true } }, click('#no')]),
      b: script([click('#b')], { output: { b: 1 } }),
    });
    const outcome = await run(
      script([include('a', { name: 'A' }), include('b', { name: 'B' }), click('#after')]),
      ports,
    );
    expect(outcome).toMatchObject({ success: true, endedBy: 'end', data: { A: { ok: true }, B: { b: 1 } } });
    expect(selectors(ports)).toEqual(['#b', '#after']);
  });

  test('scripts that include each other in a circle, or too deep, are an error that shows the way', async () => {
    const circle = await run(
      script([include('a')]),
      library({ a: script([include('b')]), b: script([include('a')]) }),
    );
    expect(circle.error?.message).toContain('a → b → a');
    const chain = Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [`s${index}`, script([include(`s${index + 1}`)])]),
    );
    expect((await run(script([include('s0')]), library(chain))).error?.message).toContain(
      'more than 10 deep',
    );
  });

  test('failures inside fail the include; an unknown jump inside does not reach outside', async () => {
    const ports = library({
      bad: script([click('bad')]),
      jump: script([{ action: 'goto', target: '{{where}}' }]),
    });
    expect((await run(script([include('bad')]), ports)).error?.message).toBe('no bad');
    const outcome = await run(
      script([include('jump'), click('#out', { name: 'Out' })], { variables: { where: 'Out' } }),
      ports,
    );
    expect(outcome).toMatchObject({ success: false, failedStep: { path: 'jump#$' } });
  });
});
