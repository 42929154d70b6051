import { expect, test } from 'vitest';
import { Stack } from './stack';

const at = (second: number) => new Date(second * 1000);
const stack = new Stack(
  [
    { at: at(0), values: [0, 10] },
    { at: at(9), values: [5, 5] },
    { at: at(10), values: [10, 0] },
  ],
  100,
  50,
);

test('series lie on each other and fill the height', () => {
  expect(stack.outline(0)).toBe('0,50 90,25 100,0 100,50 90,50 0,50');
  expect(stack.outline(1)).toBe('0,0 90,0 100,0 100,0 90,25 0,50');
});

test('the nearest point is the nearest in time, however uneven the points are', () => {
  expect(stack.nearest(44)?.at).toEqual(at(0));
  expect(stack.nearest(46)?.at).toEqual(at(9));
  expect(stack.nearest(99)?.at).toEqual(at(10));
});

test('one point or none is no error', () => {
  expect(new Stack([{ at: at(5), values: [1] }], 100, 50).outline(0)).toBe('0,0 0,50');
  expect(new Stack([], 100, 50).nearest(10)).toBeUndefined();
});
