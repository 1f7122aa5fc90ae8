import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { describeEnd, saysHeapIsFull, type EndFacts, type EndKind } from './child-end.ts';

describe('why a process of the agent ended', () => {
  test.each<[EndKind, EndFacts, RegExp]>([
    ['exited', { exitCode: 1, signal: null }, /ended unexpectedly \(exit code 1\)/],
    ['exited', { reason: 'abnormal-exit', exitCode: 256 }, /ended unexpectedly/],
    ['exited', { reason: 'clean-exit', exitCode: 0 }, /exit code 0/],
    ['killed', { exitCode: null, signal: 'SIGKILL' }, /ended from outside \(SIGKILL\).*memory was short/],
    ['killed', { reason: 'killed', exitCode: 9 }, /ended from outside: by a person/],
    ['crashed', { exitCode: null, signal: 'SIGSEGV' }, /crashed \(SIGSEGV\)/],
    ['crashed', { reason: 'crashed', exitCode: 139 }, /crashed \(status 139\)/],
    ['crashed', { exitCode: 0xc000_0005 - 2 ** 32 }, /crashed \(status 0xc0000005\)/],
    ['crashed', { exitCode: 1, fatalAt: 'v8::ToLocalChecked' }, /crashed/],
    ['out-of-memory', { reason: 'oom', exitCode: 133 }, /ran out of memory.*fewer tasks at a time/],
    ['out-of-memory', { exitCode: 0xe000_0008 - 2 ** 32 }, /ran out of memory/],
    ['out-of-memory', { exitCode: null, signal: 'SIGABRT', heapWasFull: true }, /ran out of memory/],
    ['out-of-memory', { reason: 'crashed', exitCode: 133, heapWasFull: true }, /ran out of memory/],
    ['not-started', { startError: 'spawn node ENOENT' }, /could not be started: spawn node ENOENT/],
    ['not-started', { reason: 'launch-failed', exitCode: 2 }, /refused it \(launch-failed, code 2\)/],
  ])('%s: %o', (kind, facts, words) => {
    const end = describeEnd(facts);
    expect(end.kind).toBe(kind);
    expect(end.words).toMatch(words);
    expect(end.facts).toBe(facts);
  });

  test('V8 says so when its heap is full', async () => {
    const program = 'const kept = []; for (;;) kept.push(new Array(1000).fill(kept.length))';
    const child = spawn(process.execPath, ['--max-old-space-size=20', '-e', program]);
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const [exitCode, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    const heapWasFull = stderr.split('\n').some(saysHeapIsFull);
    expect(describeEnd({ exitCode, signal, heapWasFull }).kind).toBe('out-of-memory');
    expect(describeEnd({ exitCode, signal }).kind).not.toBe('exited');
  });

  test('an error that names the heap is not one of V8', () => {
    expect(saysHeapIsFull('{"level":50,"msg":"Error: the heap of orders is high"}')).toBe(false);
  });
});
