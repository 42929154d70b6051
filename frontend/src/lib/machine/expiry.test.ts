import { expect, test } from 'vitest';
import { expiresAt } from './expiry';

const now = new Date('2026-11-23T14:00:00Z');

test('a period ends after its duration, no period never ends', () => {
  expect(expiresAt('P1D', '', now)).toEqual({ until: '2026-11-24T14:00:00.000Z' });
  expect(expiresAt('', '', now)).toEqual({ until: null });
});

test('a time is read in the local zone', () => {
  const local = new Date(2026, 11, 24, 8, 30);
  expect(expiresAt('at', '2026-12-24T08:30', now)).toEqual({ until: local.toISOString() });
});

test('a missing or past time is rejected', () => {
  expect(expiresAt('at', '', now).error).toMatch(/date and a time/);
  expect(expiresAt('at', '2020-01-01T00:00', now).error).toMatch(/future/);
});
