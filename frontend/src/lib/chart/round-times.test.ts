import { expect, test } from 'vitest';
import { roundTimes } from './round-times';

const at = (day: number, hour: number, minute = 0) => new Date(2026, 10, day, hour, minute).getTime();
const words = (times: Date[]) => times.map((t) => `${t.getDate()} ${t.getHours()}:${t.getMinutes()}`);

test('a day is marked every few hours', () =>
  expect(words(roundTimes(at(22, 14, 7), at(23, 14, 7), 6))).toEqual([
    '22 16:0',
    '22 20:0',
    '23 0:0',
    '23 4:0',
    '23 8:0',
    '23 12:0',
  ]));

test('an hour is marked every ten minutes', () =>
  expect(words(roundTimes(at(22, 14, 7), at(22, 15, 7), 6))).toEqual([
    '22 14:10',
    '22 14:20',
    '22 14:30',
    '22 14:40',
    '22 14:50',
    '22 15:0',
  ]));

test('a month is marked at midnights', () =>
  expect(roundTimes(at(1, 9), at(30, 9), 6).every((t) => t.getHours() === 0)).toBe(true));

test('nothing is marked when no time has passed', () =>
  expect(roundTimes(at(1, 9, 1) + 500, at(1, 9, 1) + 500, 6)).toEqual([]));
