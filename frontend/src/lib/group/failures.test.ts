import { expect, test } from 'vitest';
import { failureFilter, failureKey, filterWords, failureWords, type FailureFilter } from './failures';

const filters: [string, FailureFilter][] = [
  ['all', {}],
  ['ROLLED_BACK', { outcome: 'ROLLED_BACK' }],
  ['FAILED.29', { outcome: 'FAILED', code: 29 }],
  ['FAILED.0', { outcome: 'FAILED', code: 0 }],
  ['oem.vmware', { oem: 'vmware' }],
  ['oem.', { oem: '' }],
  ['from.1.0.0', { fromVersion: '1.0.0' }],
];

test.each(filters)('%s is one filter and back', (key, filter) => {
  expect(failureKey(filter)).toBe(key);
  expect(failureFilter(key)).toEqual(filter);
});

test('an address that asks for nothing has no filter, a strange one asks for all', () => {
  expect(failureFilter(null)).toBeNull();
  expect(failureFilter('')).toBeNull();
  expect(failureFilter('constructor')).toEqual({});
});

test('a failure is called by its decoded code, and by how it ended where there is none', () => {
  expect(failureWords({ outcome: 'FAILED', code: 9, description: 'download transfer' })).toBe(
    'Download transfer',
  );
  expect(failureWords({ outcome: 'ROLLED_BACK', code: 44, description: 'x' })).toBe('Rolled back after boot');
  expect(failureWords({ outcome: 'TIMED_OUT', code: 0, description: '' })).toBe('No report within the lease');
});

test('a filter says what the attempts have in common', () => {
  const known = [{ outcome: 'FAILED' as const, code: 29, description: 'operation hash (code 29)' }];
  expect(filters.map(([, filter]) => filterWords(filter, known))).toEqual([
    'all',
    'rolled back after boot',
    'operation hash (code 29)',
    'failed',
    'on vmware',
    'on an unknown platform',
    'from 1.0.0',
  ]);
});
