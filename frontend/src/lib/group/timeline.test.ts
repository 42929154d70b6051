import { expect, test } from 'vitest';
import type { Activity } from '$lib/activity/activity';
import {
  chartMarks,
  join,
  points,
  rangeFor,
  see,
  versionSeries,
  type Point,
  type Timeline,
} from './timeline';

const at = (second: number) => Date.UTC(2026, 10, 23, 4, 0, second);
const iso = (second: number) => new Date(at(second)).toISOString();
const point = (second: number, onTarget = 0): Point => ({
  at: at(second),
  onTarget,
  aboveTarget: 0,
  badVersion: 0,
  inFlight: 0,
  failed: 0,
  waiting: 0,
  versions: [],
});

const timeline: Timeline = {
  resolution: 'PT30S',
  times: [iso(0), iso(30)],
  onTarget: [1, 4],
  aboveTarget: [0, 2],
  badVersion: [3, 0],
  inFlight: [0, 2],
  failed: [0, 1],
  waiting: [9, 3],
  versions: [
    { version: '2.0.0', machines: [1, 4] },
    { version: '1.0.0', machines: [9, 6] },
  ],
  pace: { inFlight: [0, 2], concurrencyLimit: [3, 3], granted: [0, 7], periodLimit: [9, 9] },
  annotations: [],
};

test('columns of the API become points', () =>
  expect(points(timeline)[1]).toEqual({
    at: at(30),
    onTarget: 4,
    aboveTarget: 2,
    badVersion: 0,
    inFlight: 2,
    failed: 1,
    waiting: 3,
    versions: [
      { version: '2.0.0', machines: 4 },
      { version: '1.0.0', machines: 6 },
    ],
  }));

test('stored points fill the gaps between live points', () => {
  const stored = [point(0), point(30), point(60), point(90)];
  const joined = join(stored, 30_000, [point(31), point(33), point(95)]);
  expect(joined.map((p) => p.at - at(0))).toEqual([0, 31_000, 33_000, 95_000]);
  expect(join(stored, 30_000, [])).toEqual(stored);
});

test('live points that are too close replace each other', () => {
  let seen: Point[] = [];
  for (let second = 0; second <= 6; second++) seen = see(seen, point(second, second), 2000);
  expect(seen.map((p) => p.onTarget)).toEqual([0, 2, 4, 6]);
  expect(see(seen, point(7, 7)).at(-1)?.onTarget).toBe(7);
});

test('the number of live points is bounded, older ones become coarser', () => {
  let seen: Point[] = [];
  for (let second = 0; second < 4000 * 3; second += 3) seen = see(seen, point(second));
  expect(seen.length).toBeLessThanOrEqual(240);
  expect(seen.length).toBeGreaterThan(150);
  expect(seen[0]?.at).toBe(at(0));
  expect(seen.at(-1)?.at).toBe(at(11_997));
  expect(seen.slice(-100).map((p) => p.at)).toEqual(
    Array.from({ length: 100 }, (_, i) => at(11_997 - 3 * (99 - i))),
  );
});

test('versions are combined into the target, the most common and others', () => {
  const moment = (...machines: number[]): Point => ({
    ...point(0),
    versions: ['2.1.0', '2.0.0', '1.3.0', '1.2.0', '1.1.0', '1.0.0', '0.9.0'].map((version, i) => ({
      version,
      machines: machines[i] ?? 0,
    })),
  });
  const drawn = versionSeries([moment(1, 2, 3, 100, 4, 50, 0), moment(0, 5, 0, 90, 4, 60, 0)], (version) =>
    version === '2.0.0' ? 'target' : version === '2.1.0' ? 'bad' : 'other',
  );
  expect(drawn.map(({ label, tone, values }) => `${label} ${tone} ${values.join(' ')}`)).toEqual([
    '2.0.0 done 2 5',
    '2.1.0 bad 1 0',
    '1.2.0 older-1 100 90',
    '1.0.0 older-2 50 60',
    'others older-3 7 4',
  ]);
});

const paused: Activity = {
  id: 'p',
  at: iso(0),
  kind: 'PAUSED',
  severity: 'INFO',
  applicationId: 'a',
  applicationName: 'Edge agent',
  groupId: 'g',
  groupName: 'Production',
  channelName: 'stable',
  instanceId: null,
  machineId: '',
  version: '',
  actor: 'ana',
  detail: 'updates were paused by ana',
};

test('older marks are left out, and stops have a colour', () => {
  expect(
    chartMarks(
      [
        { ...paused, at: iso(5) },
        { ...paused, at: iso(20) },
      ],
      at(10),
    ),
  ).toEqual([{ id: 'p', at: iso(20), label: 'paused · ana', tone: 'warn' }]);
});

test('marks say whether one machine or several were changed', () => {
  const label = (change: Partial<Activity>) => chartMarks([{ ...paused, ...change }], 0)[0]?.label;
  expect(label({ kind: 'MACHINES_HELD', machineId: 'm' })).toBe('machine held · ana');
  expect(label({ kind: 'MACHINES_MOVED' })).toBe('machines moved · ana');
  expect(label({ kind: 'PACKAGE_BLACKLISTED', version: '2.1.0' })).toBe('blacklisted 2.1.0 · ana');
});

test('the default range shows the whole rollout, if it is not too old', () => {
  const hours = (n: number) => new Date(at(0) - n * 3_600_000);
  const now = new Date(at(0));
  expect(rangeFor(hours(0.5), now)).toBe('HOUR');
  expect(rangeFor(hours(20), now)).toBe('DAY');
  expect(rangeFor(hours(50), now)).toBe('WEEK');
  expect(rangeFor(hours(500), now)).toBe('DAY');
  expect(rangeFor(null, now)).toBe('DAY');
});
