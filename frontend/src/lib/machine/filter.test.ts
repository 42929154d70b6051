import { expect, test } from 'vitest';
import { asShow, instanceFilter } from './filter';

const versions = [
  { version: '2.0.0', onTarget: true },
  { version: '1.0.0', onTarget: false },
  { version: '', onTarget: false },
];

test('waiting is whoever is seen, behind, and neither on the way nor failed', () =>
  expect(instanceFilter('g', { show: 'waiting' }, versions)).toEqual({
    groupId: 'g',
    standings: ['ACTIVE'],
    states: ['NONE', 'UNDEFINED', 'COMPLETE', 'ON_HOLD'],
    versions: ['1.0.0', ''],
  }));

test('on target is a matter of versions', () =>
  expect(instanceFilter('g', { show: 'on-target' }, versions)).toMatchObject({ versions: ['2.0.0'] }));

test('when no version is on target, nobody is: the list of versions is empty, not left out', () =>
  expect(instanceFilter('g', { show: 'on-target' }, [])).toMatchObject({ versions: [] }));

test('a reason lists whom the histogram counts', () =>
  expect(instanceFilter('g', { reason: 'PERIOD_LIMIT' }, versions)).toEqual({
    groupId: 'g',
    standings: ['ACTIVE'],
    states: ['NONE', 'UNDEFINED', 'COMPLETE', 'ON_HOLD', 'ERROR'],
    versions: ['1.0.0', ''],
    reasons: ['PERIOD_LIMIT'],
  }));

test('what an address makes up is not asked for', () => {
  expect(asShow('nonsense')).toBe('all');
  expect(asShow('toString')).toBe('all');
  expect(instanceFilter('g', { reason: 'toString', search: '' }, versions)).toEqual({ groupId: 'g' });
});
