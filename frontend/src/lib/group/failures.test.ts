import { expect, test } from 'vitest';
import {
  cluster,
  failureName,
  failureFilter,
  failureKey,
  filterLabel,
  failureLabel,
  type FailureFilter,
} from './failures';

const filters: [string, FailureFilter][] = [
  ['all', {}],
  ['ROLLED_BACK', { outcome: 'ROLLED_BACK' }],
  ['FAILED.29', { outcome: 'FAILED', code: 29 }],
  ['FAILED.0', { outcome: 'FAILED', code: 0 }],
  ['oem.vmware', { oem: 'vmware' }],
  ['oem.', { oem: '' }],
  ['from.1.0.0', { fromVersion: '1.0.0' }],
  ['address.192.0.2.0/24', { addressBlock: '192.0.2.0/24' }],
  ['address.2001:db8:1::/48', { addressBlock: '2001:db8:1::/48' }],
  ['address.', { addressBlock: '' }],
  ['attribute.rack=3=4', { attribute: { name: 'rack', value: '3=4' } }],
  ['tag.a.b-1', { tag: 'a.b-1' }],
];

test.each(filters)('%s is parsed and formatted without loss', (key, filter) => {
  expect(failureKey(filter)).toBe(key);
  expect(failureFilter(key)).toEqual(filter);
});

test('no key means no filter, an unknown key means all', () => {
  expect(failureFilter(null)).toBeNull();
  expect(failureFilter('')).toBeNull();
  expect(failureFilter('constructor')).toEqual({});
  expect(failureFilter('attribute.rack')).toEqual({});
});

test('a failure is named by its decoded code, else by its outcome', () => {
  expect(failureLabel({ outcome: 'FAILED', code: 9, description: 'download transfer' })).toBe(
    'Download transfer',
  );
  expect(failureLabel({ outcome: 'ROLLED_BACK', code: 44, description: 'x' })).toBe('Rolled back after boot');
  expect(failureLabel({ outcome: 'TIMED_OUT', code: 0, description: '' })).toBe(
    'Lease expired without a report',
  );
});

test('within a sentence a failure is in lower case', () => {
  expect(failureName({ outcome: 'FAILED', code: 37, description: 'HTTP error' })).toBe(
    'HTTP error (code 37)',
  );
  expect(failureName({ outcome: 'FAILED', code: 0, description: 'no code' })).toBe('failed');
  expect(failureName({ outcome: 'ROLLED_BACK', code: 44, description: 'rolled back' })).toBe(
    'rolled back after boot',
  );
});

test('a cluster is at least three failures and half of all, next to others', () => {
  const shares = (...attempts: number[]) => attempts.map((n, i) => ({ value: `v${i}`, attempts: n }));
  expect(cluster(shares(3, 3), 6)?.value).toBe('v0');
  expect(cluster(shares(3, 2, 2), 7)).toBeUndefined();
  expect(cluster(shares(2, 1), 3)).toBeUndefined();
  expect(cluster(shares(8), 8)).toBeUndefined();
  expect(cluster([{ value: '', attempts: 4 }, ...shares(1)], 5)).toBeUndefined();
});

test('a filter has a label', () => {
  const known = [{ outcome: 'FAILED' as const, code: 29, description: 'operation hash' }];
  expect(filters.map(([, filter]) => filterLabel(filter, known))).toEqual([
    'all',
    'rolled back after boot',
    'operation hash',
    'failed',
    'on vmware',
    'on an unknown platform',
    'from 1.0.0',
    'in 192.0.2.0/24',
    'in 2001:db8:1::/48',
    'at an unknown address',
    'with rack=3=4',
    'with tag a.b-1',
  ]);
});
