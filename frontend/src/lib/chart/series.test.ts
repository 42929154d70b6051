import { expect, test } from 'vitest';
import { heights, marksByMoment, nearest, type ChartSeries } from './series';

const series = (label: string, values: (number | null)[]): ChartSeries => ({
  label,
  values,
  tone: 'done',
  style: 'area',
});
const times = ['2026-11-23T04:00:00Z', '2026-11-23T04:05:00Z', '2026-11-23T04:10:00Z'];
const content = {
  times,
  series: [series('low', [1, null, null]), series('high', [2, 5, null])],
  marks: [],
  span: null,
  zone: 'UTC',
};

test('stacked series add up, and unknown times stay gaps', () =>
  expect(heights({ ...content, stacked: true })).toEqual([
    [1, 0, null],
    [3, 5, null],
  ]));

test('unstacked series keep their values and gaps', () =>
  expect(heights({ ...content, stacked: false })).toEqual([
    [1, null, null],
    [2, 5, null],
  ]));

test('a short series ends in a gap', () =>
  expect(heights({ ...content, series: [series('short', [4])], stacked: false })).toEqual([[4, null, null]]));

test('the nearest time is found in uneven series', () => {
  expect([-5, 4, 5, 6, 95, 200].map((at) => nearest([0, 10, 100], at))).toEqual([0, 0, 0, 1, 2, 2]);
  expect(nearest([], 3)).toBe(-1);
});

test('marks belong to the nearest time', () => {
  const moments = times.map((time) => Date.parse(time));
  const marks = [
    { id: 'paused', at: '2026-11-23T04:04:00Z', label: 'paused' },
    { id: 'resumed', at: '2026-11-23T04:06:00Z', label: 'resumed' },
    { id: 'finished', at: '2026-11-23T04:10:00Z', label: 'finished' },
  ];
  const found = marksByMoment(moments, marks);
  expect(found.get(1)?.map(({ label }) => label)).toEqual(['paused', 'resumed']);
  expect(found.get(2)?.map(({ label }) => label)).toEqual(['finished']);
});
