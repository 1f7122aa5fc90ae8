import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../base/words.ts';
import { formatProblem, parseScript } from './parse.ts';
import type { Script } from './schema.ts';

/** Scripts in the shapes that the earlier program took; they must parse, with warnings at most. */
function take(source: JsonObject): { script: Script; warnings: string[] } {
  const result = parseScript(JSON.stringify(source));
  if (!result.ok) throw new Error(result.problems.map((problem) => formatProblem(problem)).join('\n'));
  return { script: result.script, warnings: result.warnings.map(({ path }) => path) };
}

describe('scripts of the earlier program', () => {
  test('one-prompt steps with schemas, a saved session and comments', () => {
    const { script, warnings } = take({
      name: 'Library loans',
      description: 'Which books are due',
      starting_page: 'https://library.example/account',
      abort_on_error: true,
      _comment_session: 'how to sign in',
      session: {
        profile_name: 'reader',
        required_tags: ['library.example', 'authenticated'],
        clone_for_parallel: false,
        requires_human_login: false,
        auto_login_if_needed: true,
        session_timeout_hours: 12,
        login_check_prompt: 'Is there a sign-in button?',
        post_login_verification: 'Is the account page shown?',
      },
      steps: [
        { action: 'act', prompt: 'Open the loans', description: 'Open loans' },
        {
          action: 'act_with_schema',
          prompt: 'List the books',
          schema: { type: 'object', properties: { books: { type: 'array' } } },
        },
        {
          action: 'validate_profile',
          mode: 'both',
          ui_prompt: 'Signed in?',
          cookie_domains: ['library.example'],
          cookie_names: ['sid'],
          local_storage_keys: ['user'],
        },
        { action: 'screenshot', description: 'The end' },
      ],
    });
    expect(script.session).toMatchObject({
      profile_name: 'reader',
      allow_temp_profile: true,
      session_timeout_hours: 12,
    });
    expect(script.session?.post_login_verification).toBeUndefined();
    expect(warnings).toEqual([
      '$.session.auto_login_if_needed',
      '$.session.login_check_prompt',
      '$.session.post_login_verification',
    ]);
  });

  test('linear steps named by type or by action, found by every kind of locator', () => {
    const { script, warnings } = take({
      name: 'Order tea',
      starting_url: 'https://tea.example/',
      llm_provider: 'openai',
      llm_model: 'gpt-4o-mini',
      abort_on_error: false,
      default_delay: { min: 100, max: 300 },
      screenshot_config: { s3_prefix: 'verification', upload_mode: 'marked_only' },
      steps: [
        { type: 'navigate', url: 'https://tea.example/shop' },
        { type: 'wait_for_load_state', state: 'networkidle', timeout: 15000 },
        { type: 'click', locator: { strategy: 'role', value: "button[name='Order']", nth: 0 } },
        { type: 'click', locator: { strategy: 'role', value: 'button.primary' } },
        { type: 'click', locator: { strategy: 'coordinates', x: 10, y: 20 } },
        {
          type: 'fill',
          locator: { strategy: 'form_field', label: 'Street', field_type: 'input' },
          value: '{{street}}',
        },
        { type: 'click', locator: { value: '#plain' }, trigger_autofill: true },
        { action: 'press', key: 'Tab', delay: 300 },
        { action: 'press', keys: 'Enter', delay_ms: 100 },
        { action: 'press', keys: ['ArrowDown', 'Enter'], delay: 500 },
        { action: 'wait', locator: { strategy: 'xpath', value: '//td' }, timeout: 3000 },
        { action: 'wait' },
        { action: 'execute_js', script: 'return {title: document.title};' },
        { action: 'screenshot', save_to: 'a.png', upload_to_s3: true, include_in_result: true },
        { action: 'extract', prompt: 'Read the price' },
        { action: 'extract', method: 'dom', extractions: [{ field: 'price', selector: '.price' }] },
        { action: 'extract_by_llm', prompt: 'Read', schema: { type: 'object' } },
      ],
    });
    expect(script.steps.map((step) => step.action)).toEqual([
      'navigate',
      'wait_for_load_state',
      'click',
      'click',
      'click',
      'fill',
      'click',
      'press',
      'press',
      'press',
      'wait',
      'wait',
      'execute_js',
      'screenshot',
      'extract',
      'extract_dom',
      'extract_by_llm',
    ]);
    expect(script).toMatchObject({
      starting_page: 'https://tea.example/',
      default_delay: { min: 100, max: 300 },
    });
    expect(script.steps).toMatchObject([
      {},
      { timeout: 15000 },
      { locator: { strategy: 'role', value: 'button', name: 'Order', css: "button[name='Order']", nth: 0 } },
      { locator: { strategy: 'selector', value: 'button.primary' } },
      { locator: { strategy: 'coordinates', x: 10, y: 20 } },
      { locator: { strategy: 'form_field', label: 'Street', field_type: 'input' } },
      { locator: { strategy: 'selector', value: '#plain' } },
      { keys: ['Tab'], key_delay: 300 },
      { keys: ['Enter'], key_delay: 100 },
      { keys: ['ArrowDown', 'Enter'], key_delay: 500 },
      { timeout: 3000 },
      { duration: 1000 },
      {},
      { full_page: true, upload_to_s3: true },
      { method: 'vision' },
      { require: 'any', extractions: [{ name: 'price', strategy: 'css', required: false }] },
      {},
    ]);
    expect(warnings).toEqual(['$.screenshot_config.upload_mode', '$.steps[5].value']);
  });

  test('escalation chains, with comments inside', () => {
    const { script } = take({
      name: 'Find it',
      steps: [
        {
          action: 'click',
          description: 'Search',
          trigger_autofill: true,
          escalation_chain: [
            {
              method: 'playwright_locator',
              locator: { strategy: 'text', value: 'Search' },
              confidence_threshold: 0.9,
              comment: 'free',
            },
            { method: 'playwright_locator', selector: 'button' },
            { method: 'playwright_dom', strategy: 'check_page_title', matchers: { login: ['sign in'] } },
            {
              method: 'playwright_dom',
              strategy: 'check_key_elements',
              checks: [{ selector: '#a', indicates: 'home' }],
            },
            { method: 'vision_llm', prompt: 'Click', schema: { type: 'object' } },
            {
              method: 'vision_find_element',
              prompt: 'Find',
              prefer: 'selector',
              fallback: 'coordinates',
              confidence_threshold: 0.7,
            },
          ],
        },
      ],
    });
    const [step] = script.steps;
    expect(step).toMatchObject({
      escalation_chain: [
        { locator: { strategy: 'text' } },
        { locator: { strategy: 'selector' } },
        {},
        {},
        {},
        {},
      ],
    });
    expect(step).not.toHaveProperty('locator');
  });

  test('a workflow: branches by goto, continue and inline, strategies that escalate, retry with a condition', () => {
    const { script, warnings } = take({
      name: 'Parcel',
      starting_page: 'https://parcel.example/#/track',
      abort_on_error: false,
      default_delay: 300,
      session: { profile_name: 'post', allow_temp_profile: false },
      steps: [
        {
          type: 'if',
          name: 'SignedIn',
          condition: {
            type: 'or',
            conditions: [
              { type: 'element_visible', selector: '#me', timeout: 3000 },
              { type: 'js_eval', expression: 'document.title', expected: true },
              { type: 'not', condition: { type: 'element_text', selector: 'body', contains: 'Sign in' } },
            ],
          },
          then: { goto: 'Track' },
          else: { goto: 'SignIn' },
        },
        {
          type: 'sequence',
          name: 'SignIn',
          steps: [
            {
              type: 'try',
              name: 'Track',
              strategies: [
                {
                  name: 'A',
                  description: 'by id',
                  steps: [{ action: 'fill', selector: '#u', value: '{{username}}' }],
                  verify: { type: 'element_count', selector: 'i', min: 1 },
                },
                {
                  name: 'B',
                  escalate: { type: 'vision_llm', prompt: 'Sign in', timeout: 25000, max_actions: 5 },
                },
                {
                  name: 'C',
                  escalate: { type: 'extract', method: 'vision', prompt: 'Look', schema: { type: 'object' } },
                },
                {
                  name: 'D',
                  escalate: { type: 'human_intervention', prompt: 'Sign in, please' },
                  verify: { type: 'url_contains', pattern: '/home' },
                },
                { name: 'E', escalate: { type: 'human_intervention' } },
                { name: 'F', escalate: { type: 'vision_llm' } },
              ],
              on_all_strategies_failed: { action: 'error', message: 'no' },
            },
            {
              type: 'if',
              condition: { type: 'url_equals', url: 'x' },
              then: { continue: true },
              else: { action: 'error', message: 'Still here' },
            },
          ],
          next: 'Track',
        },
        {
          type: 'sequence',
          name: 'Track',
          steps: [
            {
              action: 'click',
              selector: 'button',
              delay: 500,
              retry: { attempts: 5, delay_ms: 5000, retry_if: { text_visible: 'unavailable' } },
            },
            {
              action: 'click',
              selector: 'button',
              retry: { attempts: 2, retry_if: { element_not_visible: '#ok' } },
            },
            {
              action: 'click',
              selector: 'button',
              retry: { attempts: 2, retry_if: {}, backoff: 'exponential' },
            },
            { action: 'wait', duration_range: [1500, 3500] },
            {
              action: 'select_by_llm',
              select_selector: 'select',
              target: '{{address}}',
              context_hint: 'near {{town}}',
            },
            {
              action: 'extract_dom',
              extractions: [
                { name: 'status', selector: '.s', fallback_js: '1' },
                { name: 'only_js', fallback_js: '2' },
              ],
            },
          ],
        },
        {
          type: 'switch',
          cases: [
            {
              condition: { type: 'url_matches', pattern: '(?i)/DONE$' },
              steps: [{ type: 'screenshot' }],
              then: { goto: 'Track' },
            },
          ],
          default: { steps: [{ type: 'screenshot', then: { goto: 'x' } }], then: { continue: true } },
        },
        { type: 'succeed', message: 'fine' },
        { type: 'fail', error: 'Parcel.Lost' },
      ],
    });
    expect(script.steps[0]).toMatchObject({
      then: [{ action: 'goto', target: 'Track' }],
      else: [{ action: 'goto', target: 'SignIn' }],
    });
    expect(script.steps[1]).toMatchObject({
      steps: [
        {
          strategies: [
            {},
            { steps: [{ action: 'act', prompt: 'Sign in', timeout: 25000, max_actions: 5 }] },
            { steps: [{ action: 'extract' }] },
            { steps: [{ action: 'human', message: 'Sign in, please' }], verify: { type: 'url_contains' } },
            { steps: [{ action: 'human' }] },
            { steps: [{ action: 'act' }] },
          ],
        },
        { then: [], else: [{ action: 'fail', error: 'BrowserAgent.StepFailed', message: 'Still here' }] },
      ],
    });
    expect(script.steps[2]).toMatchObject({
      steps: [
        {
          delay: 500,
          retry: { attempts: 5, retry_if: { type: 'text_visible', text: 'unavailable', timeout: 1000 } },
        },
        { retry: { retry_if: { type: 'not', condition: { type: 'element_visible', timeout: 1000 } } } },
        { retry: { backoff: 2 } },
        {},
        {},
        {
          extractions: [
            { strategy: 'css', fallback_js: '1' },
            { strategy: 'js', expression: '2' },
          ],
        },
      ],
    });
    expect(warnings).toEqual(
      [
        '$.steps[1].steps[0].on_all_strategies_failed',
        '$.steps[1].steps[0].strategies[0].steps[0].value',
        '$.steps[2].steps[4].target',
        '$.steps[2].steps[4].context_hint',
        '$.steps[3].cases[0].then',
        '$.steps[3].default.then',
        '$.steps[3].default.steps[0].then',
      ].toSorted((a, b) => warnings.indexOf(a) - warnings.indexOf(b)),
    );
  });
});
