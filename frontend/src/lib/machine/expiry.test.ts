import { expect, test } from 'vitest';
import { expiresAt } from './expiry';

const now = new Date('2026-11-23T14:00:00Z');

test('a period ends after its duration, no period never ends', () => {
  expect(expiresAt('P1D', '', 'UTC', now)).toEqual({ until: '2026-11-24T14:00:00.000Z' });
  expect(expiresAt('', '', 'UTC', now)).toEqual({ until: null });
});

test('a time is read in the given zone', () => {
  const until = (zone: string) => expiresAt('at', '2026-12-24T08:30', zone, now).until;
  expect(until('UTC')).toBe('2026-12-24T08:30:00.000Z');
  expect(until('Asia/Kolkata')).toBe('2026-12-24T03:00:00.000Z');
});

test('a missing or past time is rejected', () => {
  expect(expiresAt('at', '', 'UTC', now).error).toMatch(/date and a time/);
  expect(expiresAt('at', '2020-01-01T00:00', 'UTC', now).error).toMatch(/future/);
});
