import { expect, test } from 'vitest';
import { asSeen, asShow, asSort, instanceFilter, machineListView, sortText } from './filter';

const now = Date.parse('2026-11-23T14:00:00Z');
const group = { groupId: 'g' };

test('a list filters by the machines that its number counts', () => {
  expect(instanceFilter(group, { show: 'waiting' }, now)).toEqual({ groupId: 'g', countedAs: ['WAITING'] });
  expect(instanceFilter({}, { show: 'on-target' }, now)).toEqual({ countedAs: ['ON_TARGET'] });
});

test('a reason filters by the machines that the histogram counts', () => {
  expect(instanceFilter(group, { reason: 'PERIOD_LIMIT' }, now)).toEqual({
    groupId: 'g',
    countedAs: ['WAITING', 'FAILED'],
    reasons: ['PERIOD_LIMIT'],
  });
  expect(instanceFilter(group, { reason: 'PERIOD_LIMIT', show: 'failed' }, now).countedAs).toEqual([
    'FAILED',
  ]);
});

test('last seen becomes a time before or after', () => {
  expect(instanceFilter({ applicationId: 'a' }, { seen: '1h' }, now)).toEqual({
    applicationId: 'a',
    seenAfter: '2026-11-23T13:00:00.000Z',
  });
  expect(instanceFilter({}, { seen: 'not-7d', oem: 'ami' }, now)).toEqual({
    oem: 'ami',
    seenBefore: '2026-11-16T14:00:00.000Z',
  });
});

test('unknown query parameters are ignored', () => {
  expect(asShow('nonsense')).toBe('all');
  expect(asShow('toString')).toBe('all');
  expect(asSeen('toString')).toBeNull();
  expect(asSort('toString', true)).toEqual({ column: 'machine', descending: false });
  expect(instanceFilter(group, { reason: 'toString', search: '', seen: '2h' }, now)).toEqual(group);
});

test('the order is parsed and formatted without loss', () => {
  for (const text of ['-machine', 'state', '-state', 'version', '-version']) {
    expect(sortText(asSort(text, true))).toBe(text);
  }
  expect(sortText(asSort('machine', true))).toBeNull();
  expect(asSort('-state', false)).toEqual({ column: 'machine', descending: false });
});

test('a list reads its own query parameters', () =>
  expect(machineListView(new URLSearchParams('show=failed&range=7d&search=10.4.&sort=-version'))).toEqual({
    show: 'failed',
    search: '10.4.',
    sort: '-version',
    reason: null,
    version: null,
    oem: null,
    label: null,
    seen: null,
    layout: null,
  }));
