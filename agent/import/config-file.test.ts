import { describe, expect, test } from 'vitest';
import { EARLIER_CONFIG } from '../../test/fixtures/earlier-program.ts';
import { readEarlierConfig, type ConfigContext } from './config-file.ts';
import type { ImportItem } from './report.ts';

function read(
  text: string,
  { platform = 'linux', here = {} }: { platform?: NodeJS.Platform; here?: Record<string, unknown> } = {},
): { items: ImportItem[]; set: Record<string, unknown>; of: (what: string) => ImportItem | undefined } {
  const set: Record<string, unknown> = {};
  const context: ConfigContext = {
    platform,
    planned: new Map(),
    awsProfiles: ['browser-agent', 'a', 'b'],
    current: (key) =>
      key in here ? { value: here[key], source: 'settings.yaml:1' } : { value: null, source: 'default' },
    set: (key, value) => {
      set[key] = value;
    },
  };
  const { findings } = readEarlierConfig('config.yaml', text, context);
  for (const { take } of findings) take?.work();
  const items = findings.map(({ item }) => item);
  return { items, set, of: (what) => items.find((item) => item.what === what) };
}

describe('config.yaml of the earlier program', () => {
  test('every key that has a setting becomes one; the environment is read from the name of the activity', () => {
    const { set } = read(EARLIER_CONFIG);
    expect(set).toEqual({
      'aws.activity_arn': 'arn:aws:states:eu-central-1:123456789012:activity:browser-remote-prod',
      'aws.env': 'prod',
      'aws.profile': 'browser-agent',
      'aws.s3_bucket': 'browser-agent-recordings-prod-123456789012',
      'browser.headless': false,
      'worker.heartbeat_seconds': 60,
    });
  });

  test('a bucket of the first naming is read as the earlier program read it, and that is said', () => {
    const { of } = read(EARLIER_CONFIG);
    expect(of('s3_bucket')).toMatchObject({
      status: 'taken',
      from: { line: 4, column: 1 },
      changes: [{ was: expect.stringContaining('nova-act-browser-results-prod-123456789012') as string }],
    });
  });

  test('keys of models are named, never shown and never taken over', () => {
    const { items, of } = read(`${EARLIER_CONFIG}openai_api_key: sk-canary-of-a-key\n`);
    expect(of('nova_act_api_key')).toMatchObject({ status: 'not_needed', from: { line: 7 } });
    expect(of('openai_api_key')).toMatchObject({ status: 'not_needed', from: { line: 11 } });
    expect(JSON.stringify(items)).not.toContain('canary');
  });

  test('without the key headless the browser was shown, so it is shown here', () => {
    expect(read('aws_profile: a\n').set).toEqual({ 'aws.profile': 'a', 'browser.headless': false });
    expect(read('headless: true\n').set).toEqual({ 'browser.headless': true });
  });

  test.each([
    ['win32', 'null', 'msedge'],
    ['win32', 'chrome', 'msedge'],
    ['win32', 'msedge', 'msedge'],
    ['darwin', 'msedge', 'chrome'],
    ['linux', 'chromium', 'chromium'],
    ['linux', 'null', undefined],
  ] as const)('on %s the channel %s is the browser that made the profiles: %s', (platform, there, here) => {
    expect(read(`browser_channel: ${there}\n`, { platform }).set['browser.channel']).toBe(here);
  });

  test('an AWS profile that this machine does not have is not taken: keys of the environment go on working', () => {
    const { of, set } = read('aws_profile: default\n');
    expect(of('aws_profile')).toMatchObject({ status: 'by_hand', from: { line: 1 } });
    expect(set).not.toHaveProperty('aws.profile');
  });

  test('what is set here already stays, and the report says how to take the earlier value', () => {
    const { set, of } = read(EARLIER_CONFIG, { here: { 'aws.profile': 'mine', 'browser.headless': false } });
    expect(set).not.toHaveProperty('aws.profile');
    expect(of('aws_profile')).toMatchObject({
      status: 'kept',
      message: expect.stringMatching(
        /aws\.profile is "mine" here \(settings\.yaml:1\).*config set aws\.profile "browser-agent"/,
      ) as string,
    });
    expect(of('headless')).toMatchObject({ status: 'same' });
  });

  test('a value that its setting does not take is an error with its line', () => {
    const { of, set } = read('aws_profile: a\nheartbeat_interval: soon\nactivity_arn: my-activity\n');
    expect(of('heartbeat_interval')).toMatchObject({ status: 'failed', from: { line: 2, column: 1 } });
    expect(of('activity_arn')).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('arn:aws:states:REGION:ACCOUNT:activity:NAME') as string,
    });
    expect(set).toEqual({ 'aws.profile': 'a', 'browser.headless': false });
  });

  test('a key that it never had is named with what was meant', () => {
    expect(read('aws_regoin: eu-west-1\n').of('aws_regoin')).toMatchObject({
      status: 'by_hand',
      from: { line: 1 },
      message: expect.stringContaining('Did you mean aws_region?') as string,
    });
  });

  test.each([
    ['aws_profile: "a\nheadless: true\n', 1],
    ['aws_profile: a\naws_profile: b\n', 2],
    ['- a\n- b\n', 1],
    ['', 1],
  ])('what is no list of settings is one error with its place, and nothing is taken: %j', (text, line) => {
    const { items, set } = read(text);
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({ kind: 'file', status: 'failed' });
    expect(items[0]!.from.line).toBeGreaterThanOrEqual(line);
    expect(set).toEqual({});
  });
});
