import { expect, test } from 'vitest';
import { axisNumber, axisLabels } from './axis';

// A Monday, in the local time zone.
const now = new Date(2026, 10, 23, 16, 4);
const at = (day: number, hour: number, minute = 0) => new Date(2026, 10, day, hour, minute);

test('times of today are shown without a day', () =>
  expect(axisLabels([at(23, 9), at(23, 13, 30)], now)).toEqual(['09:00', '13:30']));

test('times less than a minute apart show seconds', () =>
  expect(axisLabels([at(23, 9), new Date(2026, 10, 23, 9, 0, 30)], now)).toEqual(['09:00:00', '09:00:30']));

test('the first time of another day shows the day', () =>
  expect(axisLabels([at(21, 18), at(21, 22), at(22, 2), at(22, 6)], now)).toEqual([
    'Sat 18:00',
    '22:00',
    'Sun 02:00',
    '06:00',
  ]));

test('midnight is shown as the day', () => expect(axisLabels([at(23, 0)], at(24, 3))).toEqual(['Mon']));

test('times days apart are dates', () =>
  expect(axisLabels([at(1, 0), at(8, 0), at(15, 0)], now)).toEqual(['1 Nov', '8 Nov', '15 Nov']));

test('only large numbers are abbreviated', () =>
  expect([0, 50, 10_000, 250_000, 1_000_000].map(axisNumber)).toEqual(['0', '50', '10,000', '250K', '1M']));
