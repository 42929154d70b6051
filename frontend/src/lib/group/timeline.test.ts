import { expect, test } from 'vitest';
import { join, points, rangeFor, see, type Point, type Timeline } from './timeline';

const at = (second: number) => new Date(Date.UTC(2026, 10, 23, 4, 0, second));
const point = (second: number, onTarget = 0): Point => ({
  at: at(second),
  onTarget,
  inFlight: 0,
  failed: 0,
  waiting: 0,
});

const timeline: Timeline = {
  resolution: 'PT30S',
  times: [at(0).toISOString(), at(30).toISOString()],
  states: [
    { state: 'NONE', machines: [4, 1] },
    { state: 'DOWNLOADING', machines: [0, 2] },
    { state: 'ERROR', machines: [0, 1] },
    { state: 'ON_HOLD', machines: [6, 6] },
  ],
  versions: [
    { version: '2.1.0', machines: [1, 1] },
    { version: '1.0.0', machines: [9, 9] },
  ],
  marks: [],
};

test('a machine that runs the target or higher is on target, whatever its state', () =>
  expect(points(timeline, [{ version: '2.0.0', createdAt: at(0).toISOString() }])).toEqual([
    { at: at(0), onTarget: 1, inFlight: 0, failed: 0, waiting: 9 },
    { at: at(30), onTarget: 1, inFlight: 2, failed: 1, waiting: 6 },
  ]));

test('a moment is judged by the target it had', () => {
  const targets = [
    { version: '3.0.0', createdAt: at(20).toISOString() },
    { version: '1.0.0', createdAt: at(-500).toISOString() },
  ];
  expect(points(timeline, targets).map((p) => p.onTarget)).toEqual([10, 0]);
  expect(points(timeline, []).map((p) => p.onTarget)).toEqual([0, 0]);
});

test('stored points fill in where this page did not look', () => {
  const joined = join([point(0), point(30), point(60), point(90)], 'PT30S', [
    point(31),
    point(33),
    point(95),
  ]);
  expect(joined.map((p) => p.at.getTime() - at(0).getTime())).toEqual([0, 31_000, 33_000, 95_000]);
});

test('the range shows the rollout from its beginning, if it is not too old', () => {
  const hours = (n: number) => new Date(at(0).getTime() - n * 3_600_000);
  expect(rangeFor(hours(0.5), at(0))).toBe('HOUR');
  expect(rangeFor(hours(20), at(0))).toBe('DAY');
  expect(rangeFor(hours(50), at(0))).toBe('WEEK');
  expect(rangeFor(hours(500), at(0))).toBe('DAY');
  expect(rangeFor(null, at(0))).toBe('DAY');
});

test('points seen too close together replace each other, and the last is always now', () => {
  let seen: Point[] = [];
  for (let second = 0; second <= 6; second++) seen = see(seen, point(second, second), 2000);
  expect(seen.map((p) => p.onTarget)).toEqual([0, 2, 4, 6]);
  expect(see(seen, point(7, 7)).at(-1)?.onTarget).toBe(7);
});
