import { expect, test } from 'vitest';
import { roundTimes } from './round-times';

const at = (day: number, hour: number, minute = 0) => new Date(2026, 10, day, hour, minute).getTime();
const text = (times: Date[]) => times.map((t) => `${t.getDate()} ${t.getHours()}:${t.getMinutes()}`);

test('a day has ticks every few hours', () =>
  expect(text(roundTimes(at(22, 14, 7), at(23, 14, 7), 6))).toEqual([
    '22 16:0',
    '22 20:0',
    '23 0:0',
    '23 4:0',
    '23 8:0',
    '23 12:0',
  ]));

test('an hour has ticks every ten minutes', () =>
  expect(text(roundTimes(at(22, 14, 7), at(22, 15, 7), 6))).toEqual([
    '22 14:10',
    '22 14:20',
    '22 14:30',
    '22 14:40',
    '22 14:50',
    '22 15:0',
  ]));

test('a month has ticks at midnight', () =>
  expect(roundTimes(at(1, 9), at(30, 9), 6).every((t) => t.getHours() === 0)).toBe(true));

test('an empty range has no ticks', () =>
  expect(roundTimes(at(1, 9, 1) + 500, at(1, 9, 1) + 500, 6)).toEqual([]));

test('a few seconds have ticks at full seconds', () =>
  expect(roundTimes(at(22, 14, 7) + 1200, at(22, 14, 7) + 21_000, 6).map((t) => t.getSeconds())).toEqual([
    5, 10, 15, 20,
  ]));

test('every range has at least two ticks', () => {
  for (let span = 3000; span < 40 * 86_400_000; span = Math.ceil(span * 1.13)) {
    for (const most of [2, 3, 6, 12]) {
      for (const from of [at(1, 9, 59) + 59_900, at(3, 14, 7) + 1, at(8, 0) + 1]) {
        const found = roundTimes(from, from + span, most);
        expect(found.length, `${span} ms, at most ${most}`).toBeGreaterThanOrEqual(2);
        expect(found.length).toBeLessThanOrEqual(most + 3);
      }
    }
  }
});
