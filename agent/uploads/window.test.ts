import { expect, test } from 'vitest';
import { UploadWindow } from './window.ts';

test('quick uploads open the window, one for each, up to the most', () => {
  const window = new UploadWindow(24);
  const first = window.size;
  window.arrived(40);
  expect(window.size).toBe(first + 1);
  for (let count = 0; count < 100; count += 1) window.arrived(40);
  expect(window.size).toBe(24);
});

test('a refusal halves it, never below one, and it opens again', () => {
  const window = new UploadWindow(24);
  window.halve();
  expect(window.size).toBe(4);
  for (let count = 0; count < 10; count += 1) window.halve();
  expect(window.size).toBe(1);
  window.arrived(40);
  expect(window.size).toBe(2);
});

test('on a slow uplink it closes to three and stays there', () => {
  const window = new UploadWindow(24);
  for (let count = 0; count < 100; count += 1) window.arrived(30_000);
  expect(window.size).toBe(3);
  window.arrived(5_000);
  expect(window.size).toBe(3);
});
