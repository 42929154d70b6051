import { expect, test } from 'vitest';
import { countAlike, placeMarks } from './marks';

const place = (...xs: number[]) =>
  placeMarks(
    xs.map((x) => ({ x, width: 40 })),
    0,
    400,
    5,
  );

test('words of marks far apart stand in the first row', () =>
  expect(place(10, 100, 200).map((p) => p?.row)).toEqual([0, 0, 0]));

test('words of marks close together stand below each other', () =>
  expect(place(10, 20, 30, 60).map((p) => p?.row)).toEqual([0, 1, 2, 0]));

test('at the right edge words stand left of their line', () =>
  expect(place(390)).toEqual([{ row: 0, side: 'left' }]));

test('where there is no room the line stands alone', () =>
  expect(place(10, 11, 12, 13, 14).at(-1)).toBeNull());

const alike = (...marks: [x: number, label: string][]) =>
  countAlike(
    marks.map(([x, label]) => ({ x, label, width: 40 })),
    5,
  );

test('what happens again beside its words is counted there', () =>
  expect(alike([10, 'next wave'], [20, 'next wave'], [60, 'next wave'], [90, 'next wave'])).toEqual([
    3, 0, 0, 1,
  ]));

test('other words in between stand for themselves', () =>
  expect(alike([10, 'next wave'], [20, 'policy'], [30, 'next wave'])).toEqual([1, 1, 1]));
