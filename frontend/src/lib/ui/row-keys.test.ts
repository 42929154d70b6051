import { expect, test } from 'vitest';
import { rowAfterKey } from './row-keys';

const key = (key: string, more: KeyboardEventInit = {}) => new KeyboardEvent('keydown', { key, ...more });

test.each([
  ['j', 5, 6],
  ['ArrowUp', 0, 0],
  ['PageDown', 5, 15],
  ['PageDown', 95, 99],
  ['PageUp', 5, 0],
  ['Home', 50, 0],
  ['End', 50, 99],
])('%s from row %d leads to %d of a hundred', (name, from, to) =>
  expect(rowAfterKey(key(name), from, 10, 100)).toBe(to),
);

test('other keys and browser shortcuts are ignored', () => {
  expect(rowAfterKey(key('x'), 5, 10, 100)).toBeNull();
  expect(rowAfterKey(key('toString'), 5, 10, 100)).toBeNull();
  expect(rowAfterKey(key('k', { ctrlKey: true }), 5, 10, 100)).toBeNull();
});
