import { expect, test } from 'vitest';
import { isZone, momentAt, spanText, wallTime } from './zone';

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

test('invalid times and zones are detected', () => {
  expect(momentAt('', 'UTC')).toBeNull();
  expect(momentAt('tomorrow', 'UTC')).toBeNull();
  expect(isZone('Europe/Lisbon')).toBe(true);
  expect(isZone('Middle/Earth')).toBe(false);
});

test('periods are formatted in the zone', () => {
  const at = (iso: string) => new Date(iso);
  expect(spanText(at('2026-11-28T21:00:00Z'), at('2026-11-29T03:00:00Z'), 'Europe/Berlin')).toBe(
    'Sat 28 Nov 22:00 – Sun 04:00',
  );
  expect(spanText(at('2026-11-27T08:00:00Z'), at('2026-11-27T16:00:00Z'), 'Europe/Berlin')).toBe(
    'Fri 27 Nov 09:00 – 17:00',
  );
  expect(spanText(at('2026-11-27T08:00:00Z'), at('2026-12-24T16:00:00Z'), 'UTC')).toBe(
    'Fri 27 Nov 08:00 – Thu 24 Dec 16:00',
  );
  expect(spanText(at('2026-11-27T08:00:00Z'), null, 'UTC')).toBe('from Fri 27 Nov 08:00');
});
