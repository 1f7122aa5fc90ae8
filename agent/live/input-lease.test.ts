import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { InputLease, type ReleaseReason } from './input-lease.ts';

const limits = { graceMs: 1_000, idleMs: 10_000 };
let released: ReleaseReason[];
let lease: InputLease;

beforeEach(() => {
  vi.useFakeTimers();
  released = [];
  lease = new InputLease({ onReleased: (reason) => void released.push(reason), limits });
});
afterEach(() => {
  vi.useRealTimers();
});

const anna = { id: 1, keyId: 'anna' };
const ben = { id: 2, keyId: 'ben' };

describe('mouse and keyboard', () => {
  test('have one holder', () => {
    expect(lease.take(anna)).toBe('taken');
    expect(lease.take(ben)).toBe('refused');
    expect(lease.use(anna.id)).toBe(true);
    expect(lease.use(ben.id)).toBe(false);
    lease.release(ben.id);
    expect(lease.holder).toBe(anna);
    lease.release(anna.id);
    expect(released).toEqual(['given back']);
    expect(lease.take(ben)).toBe('taken');
  });

  test('are not taken by another window of the same person while the first is there', () => {
    lease.take(anna);
    expect(lease.take({ id: 3, keyId: 'anna' })).toBe('refused');
  });

  test('wait for the same person whose connection was lost, and for nobody else', () => {
    lease.take(anna);
    lease.disconnected(anna.id);
    expect(lease.take(ben)).toBe('refused');
    expect(lease.take({ id: 3, keyId: 'anna' })).toBe('kept');
    vi.advanceTimersByTime(limits.graceMs + 1);
    expect(lease.use(3)).toBe(true);
    expect(released).toEqual([]);
  });

  test('are free after the grace time', () => {
    lease.take(anna);
    lease.disconnected(anna.id);
    vi.advanceTimersByTime(limits.graceMs + 1);
    expect(released).toEqual(['disconnected']);
    expect(lease.take(ben)).toBe('taken');
  });

  test('are lost by doing nothing, and kept by doing something', () => {
    lease.take(anna);
    vi.advanceTimersByTime(limits.idleMs - 1);
    lease.use(anna.id);
    vi.advanceTimersByTime(limits.idleMs - 1);
    expect(released).toEqual([]);
    vi.advanceTimersByTime(2);
    expect(released).toEqual(['idle']);
    lease.end();
    expect(released).toEqual(['idle']);
  });
});
