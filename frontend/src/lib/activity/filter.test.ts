import { expect, test } from 'vitest';
import { activityFilter } from './filter';

const now = Date.parse('2026-11-23T12:00:00Z');

test('query parameters become the filter', () => {
  expect(
    activityFilter(
      {
        application: 'a',
        group: 'g',
        severity: 'problems',
        kind: 'MACHINE_FAILED',
        range: '1d',
        machine: 'm',
        text: 'disk',
      },
      now,
    ),
  ).toEqual({
    applicationId: 'a',
    groupId: 'g',
    instanceId: 'm',
    text: 'disk',
    severities: ['WARNING', 'ERROR'],
    kinds: ['MACHINE_FAILED'],
    since: '2026-11-22T12:00:00.000Z',
  });
});

test('the activity up to an entry has the entry', () => {
  expect(activityFilter({ until: '2026-11-23T11:00:00.123456Z' }, now)).toEqual({
    until: '2026-11-23T11:00:00.124Z',
  });
  expect(activityFilter({ until: 'soon' }, now)).toEqual({});
});

test('unknown query parameters are ignored', () => {
  expect(activityFilter({ severity: 'loud', kind: 'toString', range: 'unlimited' }, now)).toEqual({});
  expect(activityFilter({}, now)).toEqual({});
});
