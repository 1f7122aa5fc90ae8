import { expect, test } from 'vitest';
import { signedInOf, usedByWords, type Profile } from './profile-words.ts';

const profile: Profile = {
  name: 'portal',
  tags: [],
  description: '',
  created_at: '2026-01-01T00:00:00.000Z',
  last_used_at: null,
  signed_in_at: null,
  used_by_run: null,
  used_by: null,
  waiting: 0,
  used_by_scripts: [],
  sign_in: null,
  check: null,
  checked: null,
};
const checked = {
  signed_in: false,
  url: 'https://portal.example/login',
  title: 'Sign in',
  problem: null,
  checked_at: '2026-01-03T00:00:00.000Z',
};

test('a check counts until a person signs in after it', () => {
  expect(signedInOf(profile).label).toBe('Not signed in yet');
  expect(signedInOf({ ...profile, signed_in_at: '2026-01-02T00:00:00.000Z' }).label).toBe('Signed in by you');
  expect(signedInOf({ ...profile, signed_in_at: '2026-01-02T00:00:00.000Z', checked })).toMatchObject({
    label: 'Not signed in',
    detail: expect.stringContaining('https://portal.example/login') as string,
  });
  expect(signedInOf({ ...profile, signed_in_at: '2026-01-04T00:00:00.000Z', checked }).label).toBe(
    'Signed in by you',
  );
});

test('a page that could not be looked at says nothing of the sign-in', () => {
  expect(signedInOf({ ...profile, checked: { ...checked, problem: 'No answer.' } })).toMatchObject({
    label: 'Could not be checked',
    detail: expect.stringContaining('No answer.') as string,
  });
});

test('who is in it and who waits is told', () => {
  expect(usedByWords(profile)).toBeNull();
  expect(usedByWords({ ...profile, used_by: { kind: 'run', id: 'x' }, waiting: 2 })).toBe(
    'A run is using it. 2 runs wait for it.',
  );
});
