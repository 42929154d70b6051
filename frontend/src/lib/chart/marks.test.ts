import { expect, test } from 'vitest';
import { clusterLabel, clusterMarks, clusterTone, placeMarks } from './marks';
import type { ChartMark } from './series';

const place = (...xs: number[]) =>
  placeMarks(
    xs.map((x) => ({ x, width: 40 })),
    0,
    400,
    5,
  );

test('labels of distant marks are in the first row', () =>
  expect(place(10, 100, 200).map((p) => p?.row)).toEqual([0, 0, 0]));

test('labels of close marks are stacked', () =>
  expect(place(10, 20, 30, 60).map((p) => p?.row)).toEqual([0, 1, 2, 0]));

test('at the right edge a label is left of its line', () =>
  expect(place(390)).toEqual([{ row: 0, side: 'left' }]));

test('without space a mark has no label', () => expect(place(10, 11, 12, 13, 14).at(-1)).toBeNull());

const mark = (label: string, tone?: ChartMark['tone']): ChartMark => ({
  id: label,
  at: '',
  label,
  ...(tone ? { tone } : {}),
});

test('marks closer than a button are one, and do not chain', () => {
  const clusters = clusterMarks([10, 20, 33, 34, 90].map((x) => ({ x, mark: mark(String(x)) })));
  expect(clusters.map(({ x, marks }) => [x, marks.length])).toEqual([
    [10, 3],
    [34, 1],
    [90, 1],
  ]);
});

test('a cluster has the label of its marks, or their number', () => {
  expect(clusterLabel([mark('policy')])).toBe('policy');
  expect(clusterLabel([mark('next wave'), mark('next wave')])).toBe('next wave ×2');
  expect(clusterLabel([mark('policy'), mark('paused'), mark('policy')])).toBe('3 changes');
});

test('a cluster has the tone of its most serious mark', () => {
  expect(clusterTone([mark('policy'), mark('halted', 'fail'), mark('paused', 'warn')])).toBe('fail');
  expect(clusterTone([mark('policy')])).toBe('quiet');
});
