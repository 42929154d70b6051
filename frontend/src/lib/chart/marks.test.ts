import { expect, test } from 'vitest';
import { countAlike, placeMarks } from './marks';

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

const alike = (...marks: [x: number, label: string][]) =>
  countAlike(
    marks.map(([x, label]) => ({ x, label, width: 40 })),
    5,
  );

test('repeated labels that would overlap are counted', () =>
  expect(alike([10, 'next wave'], [20, 'next wave'], [60, 'next wave'], [90, 'next wave'])).toEqual([
    3, 0, 0, 1,
  ]));

test('a different label in between ends the count', () =>
  expect(alike([10, 'next wave'], [20, 'policy'], [30, 'next wave'])).toEqual([1, 1, 1]));
