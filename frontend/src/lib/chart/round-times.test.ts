import { expect, test } from 'vitest';
import { roundTimes } from './round-times';

const at = (day: number, hour: number, minute = 0) => Date.UTC(2026, 10, day, hour, minute);
const text = (times: Date[]) => times.map((t) => `${t.getUTCDate()} ${t.getUTCHours()}:${t.getUTCMinutes()}`);

test('a day has ticks every few hours', () =>
  expect(text(roundTimes(at(22, 14, 7), at(23, 14, 7), 6, 'UTC'))).toEqual([
    '22 16:0',
    '22 20:0',
    '23 0:0',
    '23 4:0',
    '23 8:0',
    '23 12:0',
  ]));

test('an hour has ticks every ten minutes', () =>
  expect(text(roundTimes(at(22, 14, 7), at(22, 15, 7), 6, 'UTC'))).toEqual([
    '22 14:10',
    '22 14:20',
    '22 14:30',
    '22 14:40',
    '22 14:50',
    '22 15:0',
  ]));

test('a month has ticks at midnight', () =>
  expect(roundTimes(at(1, 9), at(30, 9), 6, 'UTC').every((t) => t.getUTCHours() === 0)).toBe(true));

test('an empty range has no ticks', () =>
  expect(roundTimes(at(1, 9, 1) + 500, at(1, 9, 1) + 500, 6, 'UTC')).toEqual([]));

test('a few seconds have ticks at full seconds', () =>
  expect(
    roundTimes(at(22, 14, 7) + 1200, at(22, 14, 7) + 21_000, 6, 'UTC').map((t) => t.getUTCSeconds()),
  ).toEqual([5, 10, 15, 20]));

test('times are round in a zone whose hours begin at half past', () => {
  const clock = (times: Date[]) => times.map((t) => t.toISOString().slice(11, 16));
  expect(clock(roundTimes(at(22, 10), at(22, 15), 6, 'Asia/Kolkata'))).toEqual([
    '10:30',
    '11:30',
    '12:30',
    '13:30',
    '14:30',
  ]);
  // 16:00, 20:00, 00:00 and 04:00 there.
  expect(clock(roundTimes(at(22, 10), at(23, 0), 4, 'Asia/Kolkata'))).toEqual([
    '10:30',
    '14:30',
    '18:30',
    '22:30',
  ]);
});

test('times stay round when the clocks change', () => {
  const berlin = (from: string, until: string, most: number) =>
    roundTimes(Date.parse(from), Date.parse(until), most, 'Europe/Berlin').map((t) => t.toISOString());
  // The last days before and the first after the end of summer time, at 01:00 UTC.
  expect(berlin('2026-10-23T12:00Z', '2026-10-26T12:00Z', 4)).toEqual([
    '2026-10-23T22:00:00.000Z',
    '2026-10-24T22:00:00.000Z',
    '2026-10-25T23:00:00.000Z',
  ]);
  expect(berlin('2026-10-24T22:00Z', '2026-10-25T11:00Z', 4)).toEqual([
    '2026-10-24T22:00:00.000Z',
    '2026-10-25T03:00:00.000Z',
    '2026-10-25T07:00:00.000Z',
    '2026-10-25T11:00:00.000Z',
  ]);
  // The repeated hour has its own ticks.
  expect(berlin('2026-10-25T00:00Z', '2026-10-25T02:00Z', 4)).toEqual([
    '2026-10-25T00:00:00.000Z',
    '2026-10-25T00:30:00.000Z',
    '2026-10-25T01:00:00.000Z',
    '2026-10-25T01:30:00.000Z',
    '2026-10-25T02:00:00.000Z',
  ]);
  // The hour from 02:00 is skipped in spring.
  expect(berlin('2026-03-28T23:00Z', '2026-03-29T10:00Z', 4)).toEqual([
    '2026-03-28T23:00:00.000Z',
    '2026-03-29T01:00:00.000Z',
    '2026-03-29T04:00:00.000Z',
    '2026-03-29T07:00:00.000Z',
    '2026-03-29T10:00:00.000Z',
  ]);
});

test('every range has at least two ticks', () => {
  for (let span = 3000; span < 40 * 86_400_000; span = Math.ceil(span * 1.13)) {
    for (const most of [2, 3, 6, 12]) {
      for (const from of [at(1, 9, 59) + 59_900, at(3, 14, 7) + 1, at(8, 0) + 1]) {
        const found = roundTimes(from, from + span, most, 'UTC');
        expect(found.length, `${span} ms, at most ${most}`).toBeGreaterThanOrEqual(2);
        expect(found.length).toBeLessThanOrEqual(most + 3);
      }
    }
  }
});
