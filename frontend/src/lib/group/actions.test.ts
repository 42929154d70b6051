import { expect, test } from 'vitest';
import { asAction, possibleActions } from './actions';

const at = (currentWave: number, failing = false) => ({
  currentWave,
  waves: [1, 2, 3, 4],
  newcomers: { failing },
});

test('the possible actions depend on the group state', () => {
  expect(possibleActions('ROLLING_OUT', at(2))).toEqual(['rollBack', 'advance', 'halt', 'pause']);
  expect(possibleActions('ROLLING_OUT', at(4))).toEqual(['rollBack', 'halt', 'pause']);
  expect(possibleActions('PAUSED', at(2))).toEqual(['rollBack', 'resume']);
  expect(possibleActions('HALTED', at(2))).toEqual(['resume', 'rollBack']);
  expect(possibleActions('NO_PACKAGE', null)).toEqual([]);
});

test('newcomers that were stopped can be resumed in any state', () => {
  expect(possibleActions('ROLLING_OUT', at(4, true))).toEqual(['rollBack', 'halt', 'pause', 'resume']);
  expect(possibleActions('UP_TO_DATE', at(4, true))).toEqual(['rollBack', 'pause', 'resume']);
  expect(possibleActions('HALTED', at(4, true))).toEqual(['resume', 'rollBack']);
});

test('only known actions are read from an address', () => {
  expect(asAction('halt')).toBe('halt');
  expect(asAction('rollBack')).toBe('rollBack');
  expect(asAction('toString')).toBeNull();
  expect(asAction(null)).toBeNull();
});
