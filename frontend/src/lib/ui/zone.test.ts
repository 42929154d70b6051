import { afterEach, beforeEach, expect, test } from 'vitest';
import { dated, dayOfWeek, exact, localTimes, moment, momentAfterVerb, seconds, span, stamp } from './format';
import { isZone, zone, type ZoneChoice } from './zone.svelte';

const before = zone.choice;
beforeEach(() => (zone.group = 'Asia/Kolkata')); // 5:30 ahead of UTC
afterEach(() => {
  zone.choice = before;
  zone.group = null;
});

const at = (iso: string) => new Date(iso);
const now = at('2026-11-28T16:04:00Z');

test.each([
  ['utc', 'UTC', '15:02:05', '28 Nov 2026, 15:02', '28 Nov, 15:02:05', 'Sat 28 Nov', 'UTC'],
  ['group', 'Asia/Kolkata', '20:32:05', '28 Nov 2026, 20:32', '28 Nov, 20:32:05', 'Sat 28 Nov', 'GMT+5:30'],
] as const)('%s shows times of %s', (choice, name, clock, date, row, day, tooltip) => {
  zone.choice = choice;
  expect(zone.name).toBe(name);
  const then = at('2026-11-28T15:02:05Z');
  expect([seconds(then), dated(then), stamp(then), dayOfWeek(then)]).toEqual([clock, date, row, day]);
  expect(exact(then)).toContain(tooltip);
});

test('mine shows times of the browser', () => {
  zone.choice = 'mine';
  expect(zone.name).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone);
  expect(moment(new Date(2026, 10, 28, 9, 5), new Date(2026, 10, 28, 16, 4))).toBe('09:05');
});

test('the day changes at midnight of the chosen zone', () => {
  const evening = at('2026-11-28T19:00:00Z'); // 00:30 of the 29th in Kolkata
  const text = (choice: ZoneChoice) => {
    zone.choice = choice;
    return [moment(evening, now), momentAfterVerb(evening, now), dayOfWeek(evening)];
  };
  expect(text('utc')).toEqual(['19:00', 'at 19:00', 'Sat 28 Nov']);
  expect(text('group')).toEqual(['Sun 00:30', 'Sun 00:30', 'Sun 29 Nov']);
});

test('times on both sides of a clock change have their own offsets', () => {
  zone.choice = 'group';
  zone.group = 'Europe/Berlin';
  const times = ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z', '2026-10-25T02:30:00Z'].map(at);
  expect(times.map((t) => seconds(t))).toEqual(['02:30:00', '02:30:00', '03:30:00']);
  expect(times.map((t) => exact(t).split(' ').at(-1))).toEqual(['CEST', 'CET', 'CET']);
  expect(span(at('2026-03-29T00:30:00Z'), at('2026-03-29T01:30:00Z'), at('2026-03-29T12:00:00Z'))).toBe(
    '01:30–03:30',
  );
});

test('times in texts of the API follow the choice', () => {
  const text = 'the next one opens at 2026-11-28 20:00:00 UTC';
  zone.choice = 'utc';
  expect(localTimes(text, now)).toBe('the next one opens at 20:00');
  zone.choice = 'group';
  expect(localTimes(text, now)).toBe('the next one opens at Sun 01:30');
});

test('without the zone of a group the choice means that of the browser', () => {
  zone.choice = 'group';
  for (const name of [null, 'Middle/Earth']) {
    zone.group = name;
    expect([zone.group, zone.name]).toEqual([null, Intl.DateTimeFormat().resolvedOptions().timeZone]);
  }
  expect([isZone('Europe/Lisbon'), isZone('Middle/Earth')]).toEqual([true, false]);
});

test('the choice is kept', () => {
  zone.choice = 'utc';
  expect(localStorage.getItem('coreroller.zone')).toBe('utc');
});
