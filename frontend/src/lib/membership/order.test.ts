import { expect, test } from 'vitest';
import { inOrder } from './order';

test('groups by expression are tried by priority, then by id', () => {
  const groups = [
    { id: 'd', expression: 'true', priority: 5 },
    { id: 'c', expression: null, priority: 0 },
    { id: 'b', expression: 'true', priority: -1 },
    { id: 'a', expression: 'true', priority: 5 },
  ];
  expect(inOrder(groups).map(({ id }) => id)).toEqual(['b', 'a', 'd']);
});
