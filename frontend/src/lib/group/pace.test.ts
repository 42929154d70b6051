import { expect, test } from 'vitest';
import { paceColumns } from './pace';
import type { Timeline } from './timeline';

const timeline: Timeline = {
  resolution: 'PT30S',
  times: ['2026-11-23T04:00:00Z', '2026-11-23T04:00:30Z'],
  onTarget: [],
  aboveTarget: [],
  badVersion: [],
  inFlight: [],
  failed: [],
  waiting: [],
  versions: [],
  pace: { inFlight: [2, 0], concurrencyLimit: [3, 0], granted: [7, 0], periodLimit: [9, 0] },
  annotations: [],
};
const now = {
  asOf: '2026-11-23T04:00:40Z',
  inFlight: 1,
  concurrencyLimit: 3,
  grantedInPeriod: 8,
  periodLimit: 9,
};

test('live numbers continue the stored ones, with gaps where none are stored', () =>
  expect(paceColumns(timeline, now)).toEqual({
    times: [...timeline.times, now.asOf],
    granted: [7, null, 8],
    periodCap: [9, null, 9],
    inFlight: [2, null, 1],
    cap: [3, null, 3],
  }));

test('live numbers older than the last stored time are dropped', () =>
  expect(paceColumns(timeline, { ...now, asOf: '2026-11-23T04:00:10Z' }).granted).toEqual([7, null]));

test('without stored points the live numbers remain', () =>
  expect(paceColumns(null, now)).toMatchObject({ times: [now.asOf], granted: [8] }));
