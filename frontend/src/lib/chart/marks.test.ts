import { expect, test } from 'vitest';
import { placeMarks } from './marks';

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
