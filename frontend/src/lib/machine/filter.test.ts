import { expect, test } from 'vitest';
import { asSeen, asShow, asSort, instanceFilter, machineListView, sortText } from './filter';

const versions = [
  { version: '2.0.0', onTarget: true },
  { version: '1.0.0', onTarget: false },
  { version: '', onTarget: false },
];
const now = Date.parse('2026-11-23T14:00:00Z');
const group = { groupId: 'g' };

test('waiting is whoever is seen, behind, and neither on the way nor failed', () =>
  expect(instanceFilter(group, { show: 'waiting' }, versions, now)).toEqual({
    groupId: 'g',
    standings: ['ACTIVE'],
    states: ['NONE', 'UNDEFINED', 'COMPLETE', 'ON_HOLD'],
    versions: ['1.0.0', ''],
  }));

test('on target is a matter of versions', () =>
  expect(instanceFilter(group, { show: 'on-target' }, versions, now)).toMatchObject({ versions: ['2.0.0'] }));

test('when no version is on target, nobody is: the list of versions is empty, not left out', () =>
  expect(instanceFilter(group, { show: 'on-target' }, [], now)).toMatchObject({ versions: [] }));

test('a reason lists whom the histogram counts', () =>
  expect(instanceFilter(group, { reason: 'PERIOD_LIMIT' }, versions, now)).toEqual({
    groupId: 'g',
    standings: ['ACTIVE'],
    states: ['NONE', 'UNDEFINED', 'COMPLETE', 'ON_HOLD', 'ERROR'],
    versions: ['1.0.0', ''],
    reasons: ['PERIOD_LIMIT'],
  }));

test('last seen is a moment before or after which', () => {
  expect(instanceFilter({ applicationId: 'a' }, { seen: '1h' }, [], now)).toEqual({
    applicationId: 'a',
    seenAfter: '2026-11-23T13:00:00.000Z',
  });
  expect(instanceFilter({}, { seen: 'not-7d', oem: 'ami' }, [], now)).toEqual({
    oem: 'ami',
    seenBefore: '2026-11-16T14:00:00.000Z',
  });
});

test('what an address makes up is not asked for', () => {
  expect(asShow('nonsense')).toBe('all');
  expect(asShow('toString')).toBe('all');
  expect(asSeen('toString')).toBeNull();
  expect(asSort('toString', true)).toEqual({ column: 'machine', descending: false });
  expect(instanceFilter(group, { reason: 'toString', search: '', seen: '2h' }, versions, now)).toEqual(group);
});

test('the order in the address is the order read from it', () => {
  for (const text of ['-machine', 'state', '-state', 'version', '-version']) {
    expect(sortText(asSort(text, true))).toBe(text);
  }
  expect(sortText(asSort('machine', true))).toBeNull();
  expect(asSort('-state', false)).toEqual({ column: 'machine', descending: false });
});

test('a list takes what is its own from an address', () =>
  expect(machineListView(new URLSearchParams('show=failed&range=7d&search=10.4.&sort=-version'))).toEqual({
    show: 'failed',
    search: '10.4.',
    sort: '-version',
    reason: null,
    version: null,
    oem: null,
    seen: null,
    layout: null,
  }));
