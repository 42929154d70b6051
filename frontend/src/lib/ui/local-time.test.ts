import { expect, test } from 'vitest';
import { momentAt, wallTime } from './local-time';

test.each([
  ['2026-12-24T18:30', 'UTC', '2026-12-24T18:30:00.000Z'],
  ['2026-12-24T18:30', 'Europe/Berlin', '2026-12-24T17:30:00.000Z'],
  ['2026-07-01T00:00', 'America/New_York', '2026-07-01T04:00:00.000Z'],
  ['2026-07-01T00:00', 'Asia/Kathmandu', '2026-06-30T18:15:00.000Z'],
  // The hours around both clock changes.
  ['2026-03-29T01:30', 'Europe/Berlin', '2026-03-29T00:30:00.000Z'],
  ['2026-03-29T03:30', 'Europe/Berlin', '2026-03-29T01:30:00.000Z'],
  ['2026-10-25T01:30', 'Europe/Berlin', '2026-10-24T23:30:00.000Z'],
  ['2026-10-25T03:30', 'Europe/Berlin', '2026-10-25T02:30:00.000Z'],
])('%s in %s is %s', (wall, zone, iso) => {
  expect(momentAt(wall, zone)?.toISOString()).toBe(iso);
  expect(wallTime(new Date(iso), zone)).toBe(wall);
});

test('a repeated hour means its first occurrence', () =>
  expect(momentAt('2026-10-25T02:30', 'Europe/Berlin')?.toISOString()).toBe('2026-10-25T00:30:00.000Z'));

test('a skipped hour means an hour later', () =>
  expect(wallTime(momentAt('2026-03-29T02:30', 'Europe/Berlin') as Date, 'Europe/Berlin')).toBe(
    '2026-03-29T03:30',
  ));

test('invalid times are detected', () => {
  expect(momentAt('', 'UTC')).toBeNull();
  expect(momentAt('tomorrow', 'UTC')).toBeNull();
});
