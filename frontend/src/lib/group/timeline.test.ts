import { expect, test } from 'vitest';
import { join, points, see, type Point, type Timeline } from './timeline';

const at = (second: number) => new Date(Date.UTC(2026, 10, 23, 4, 0, second));
const point = (second: number, onTarget = 0): Point => ({
  at: at(second),
  onTarget,
  inFlight: 0,
  failed: 0,
  waiting: 0,
});

test('a machine that came with the target is on target, whatever its state', () => {
  const timeline: Timeline = {
    from: at(0).toISOString(),
    times: [at(0).toISOString(), at(1).toISOString()],
    states: [
      { state: 'NONE', machines: [4, 1] },
      { state: 'DOWNLOADING', machines: [0, 2] },
      { state: 'ERROR', machines: [0, 1] },
      { state: 'ON_HOLD', machines: [6, 6] },
    ],
    versions: [
      { version: '2.0.0', machines: [1, 1] },
      { version: '1.0.0', machines: [9, 9] },
    ],
    marks: [],
  };
  expect(points(timeline, new Set(['2.0.0']))).toEqual([
    { at: at(0), onTarget: 1, inFlight: 0, failed: 0, waiting: 9 },
    { at: at(1), onTarget: 1, inFlight: 2, failed: 1, waiting: 6 },
  ]);
});

test('points this page saw go on where the stored ones end', () => {
  const joined = join([point(0), point(10)], [point(5), point(11), point(12)]);
  expect(joined.map((p) => p.at.getUTCSeconds())).toEqual([0, 10, 11, 12]);
});

test('points seen too close together replace each other, and the last is always now', () => {
  let seen: Point[] = [];
  for (let second = 0; second <= 6; second++) seen = see(seen, point(second, second), 2000);
  expect(seen.map((p) => p.onTarget)).toEqual([0, 2, 4, 6]);
  expect(see(seen, point(7, 7)).at(-1)?.onTarget).toBe(7);
});
