import { expect, test } from 'vitest';
import {
  bytes,
  count,
  duration,
  isoSeconds,
  localTimes,
  moment,
  momentAfterVerb,
  namesTime,
  percent,
  plural,
  shortId,
  span,
  total,
} from './format';

test.each([
  [0, '0 %'],
  [0.713, '71.3 %'],
  [1, '100 %'],
  [0.9999, '99.9 %'],
  [0.0001, '< 0.1 %'],
  [Number.NaN, '0 %'],
])('percent(%d) is %s', (share, text) => expect(percent(share)).toBe(text));

test.each([
  [0, '0 s'],
  [59.4, '59 s'],
  [60, '1 min'],
  [51 * 60 + 59, '51 min'],
  [3600, '1 h'],
  [4800, '1 h 20 min'],
  [86400, '1 d'],
  [3 * 86400 + 4 * 3600, '3 d 4 h'],
  [-5, '0 s'],
])('duration(%d) is %s', (seconds, text) => expect(duration(seconds)).toBe(text));

test.each([
  [0, '0 B'],
  [1023, '1,023 B'],
  [1024, '1 KiB'],
  [19096576, '18.2 MiB'],
])('bytes(%d) is %s', (n, text) => expect(bytes(n)).toBe(text));

test.each([
  ['PT15M', 900],
  ['PT1H30M', 5400],
  ['P7D', 604800],
  ['P1DT2H', 93600],
  ['PT0.5S', 0.5],
  ['PT0S', 0],
])('isoSeconds(%s) is %d', (text, seconds) => expect(isoSeconds(text)).toBe(seconds));

test('a time is as short as possible without being ambiguous', () => {
  const now = new Date(2026, 10, 27, 16, 4);
  expect(moment(new Date(2026, 10, 27, 9, 5), now)).toBe('09:05');
  expect(moment(new Date(2026, 10, 25, 14, 2), now)).toBe('Wed 14:02');
  expect(moment(new Date(2026, 10, 12, 14, 2), now)).toBe('12 Nov, 14:02');
});

test('numbers, plurals and ids are formatted', () => {
  expect(count(7130)).toBe('7,130');
  expect(plural(1, 'machine')).toBe('1 machine');
  expect(plural(1200, 'machine')).toBe('1,200 machines');
  expect(total({ totalCount: 1000, totalCountIsExact: true }, 'package')).toBe('1,000 packages');
  expect(total({ totalCount: 1000, totalCountIsExact: false }, 'package')).toBe('1,000+ packages');
  expect(shortId('4a0c55e1b2c391d2')).toBe('4a0c…91d2');
  expect(shortId('web-0412')).toBe('web-0412');
});

test('UTC times in text of the API become local times', () => {
  const text = 'the next one opens at 2026-11-23 01:00:00 UTC';
  const at = new Date(Date.UTC(2026, 10, 23, 1));
  expect(localTimes(text, at)).toBe(`the next one opens at ${moment(at, at)}`);
  expect([namesTime(text), namesTime('wave 1 soaks'), namesTime(text)]).toEqual([true, false, true]);
});

test('a moment follows a verb, and a span is as short as possible', () => {
  const now = new Date(2026, 10, 28, 16, 4);
  const at = (day: number, hour: number, month = 10) => new Date(2026, month, day, hour, 30);
  expect(momentAfterVerb(at(28, 2), now)).toBe('at 02:30');
  expect(momentAfterVerb(at(27, 2), now)).toBe('Fri 02:30');
  expect(span(at(24, 1, 9), at(28, 2), now)).toBe('24 Oct–28 Nov');
  expect(span(at(28, 1), at(28, 2), now)).toBe('01:30–02:30');
  expect(span(at(27, 1), at(27, 2), now)).toBe('Fri 01:30–02:30');
});
