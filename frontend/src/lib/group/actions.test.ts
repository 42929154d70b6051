import { expect, test } from 'vitest';
import { asAction, possibleActions } from './actions';

test('what is offered is what makes sense now, the usual one last', () => {
  expect(possibleActions('ROLLING_OUT', 2, 4)).toEqual(['advance', 'halt', 'pause']);
  expect(possibleActions('ROLLING_OUT', 4, 4)).toEqual(['halt', 'pause']);
  expect(possibleActions('PAUSED', 2, 4)).toEqual(['resume']);
  expect(possibleActions('HALTED', 2, 4)).toEqual(['resume']);
  expect(possibleActions('NO_PACKAGE', 1, 1)).toEqual([]);
});

test('an address can ask only for an action there is', () => {
  expect(asAction('halt')).toBe('halt');
  expect(asAction('toString')).toBeNull();
  expect(asAction(null)).toBeNull();
});
