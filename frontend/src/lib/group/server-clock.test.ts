import { afterEach, expect, test, vi } from 'vitest';
import { countdown, ServerClock } from './server-clock.svelte';

afterEach(() => vi.useRealTimers());

test('a countdown shows seconds only near its end', () =>
  expect([0, 0.2, 59, 61, 599, 600, 3599, 3600, 90_000].map(countdown)).toEqual([
    '0 s',
    '1 s',
    '59 s',
    '1 min 1 s',
    '9 min 59 s',
    '10 min',
    '59 min',
    '1 h 0 min',
    '1 d 1 h',
  ]));

test('a countdown follows the server clock', () => {
  vi.useFakeTimers({ now: new Date('2026-11-23T05:00:00Z') });
  const server = new ServerClock();
  server.note('2026-11-23T04:00:00Z');
  expect(server.until('2026-11-23T04:00:30Z')).toBe(30);
  vi.advanceTimersByTime(10_000);
  expect(server.until('2026-11-23T04:00:30Z')).toBe(20);
  expect(server.until('2026-11-23T03:59:00Z')).toBe(0);
});

test('latency does not change the clock', () => {
  vi.useFakeTimers({ now: new Date('2026-11-23T04:00:00Z') });
  const server = new ServerClock();
  server.note('2026-11-23T03:59:59.300Z');
  expect(server.now).toBe(Date.parse('2026-11-23T04:00:00Z'));
});
