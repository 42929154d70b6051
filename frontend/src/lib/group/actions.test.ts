import { expect, test } from 'vitest';
import { asAction, possibleActions } from './actions';

test('the possible actions depend on the group state', () => {
  expect(possibleActions('ROLLING_OUT', 2, 4)).toEqual(['advance', 'halt', 'pause']);
  expect(possibleActions('ROLLING_OUT', 4, 4)).toEqual(['halt', 'pause']);
  expect(possibleActions('PAUSED', 2, 4)).toEqual(['resume']);
  expect(possibleActions('HALTED', 2, 4)).toEqual(['resume']);
  expect(possibleActions('NO_PACKAGE', 1, 1)).toEqual([]);
});

test('only known actions are read from an address', () => {
  expect(asAction('halt')).toBe('halt');
  expect(asAction('toString')).toBeNull();
  expect(asAction(null)).toBeNull();
});
