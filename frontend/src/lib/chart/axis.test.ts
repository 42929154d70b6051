import { expect, test } from 'vitest';
import { axisNumber, axisLabels } from './axis';

// A Monday.
const now = new Date('2026-11-23T16:04:00Z');
const at = (day: number, hour: number, minute = 0) => new Date(Date.UTC(2026, 10, day, hour, minute));
const labels = (moments: Date[], when = now, zone = 'UTC') => axisLabels(moments, when, zone);

test('times of today are shown without a day', () =>
  expect(labels([at(23, 9), at(23, 13, 30)])).toEqual(['09:00', '13:30']));

test('times less than a minute apart show seconds', () =>
  expect(labels([at(23, 9), new Date(at(23, 9).getTime() + 30_000)])).toEqual(['09:00:00', '09:00:30']));

test('the first time of another day shows the day', () =>
  expect(labels([at(21, 18), at(21, 22), at(22, 2), at(22, 6)])).toEqual([
    'Sat 18:00',
    '22:00',
    'Sun 02:00',
    '06:00',
  ]));

test('midnight is shown as the day', () => expect(labels([at(23, 0)], at(24, 3))).toEqual(['Mon']));

test('times days apart are dates', () =>
  expect(labels([at(1, 0), at(8, 0), at(15, 0)])).toEqual(['1 Nov', '8 Nov', '15 Nov']));

test('days begin at midnight of the zone', () => {
  const moments = [at(22, 18), at(22, 18, 30), at(22, 23)];
  expect(labels(moments, now, 'UTC')).toEqual(['Sun 18:00', '18:30', '23:00']);
  expect(labels(moments, now, 'Asia/Kolkata')).toEqual(['Sun 23:30', 'Mon', '04:30']);
});

test('only large numbers are abbreviated', () =>
  expect([0, 50, 10_000, 250_000, 1_000_000].map(axisNumber)).toEqual(['0', '50', '10,000', '250K', '1M']));
