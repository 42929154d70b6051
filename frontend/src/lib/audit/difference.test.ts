import { expect, test } from 'vitest';
import { changeText, difference, type Change, type Value } from './difference';

const lines = (before: object | null, after: object | null) =>
  difference(before ? JSON.stringify(before) : '', after ? JSON.stringify(after) : '').map(
    ({ field, before, after }: Change) => `${field}: ${format(before)} → ${format(after)}`,
  );
const format = (value: Value | null) =>
  value === null ? '–' : 'ref' in value ? `${value.ref} ${value.id}` : value.text;

const group = {
  id: '01a20840-bb42-7000-9370-79c83d7e996e',
  name: 'production',
  revision: 1,
  policy: {
    updatesEnabled: true,
    periodInterval: 900_000_000_000,
    haltFailureShare: 0.2,
    waves: [{ share: 0.05, soak: 14_400_000_000_000 }, { share: 1 }],
    windows: [{ days: [6, 0], start: 120, end: 1440 }],
  },
  edges: {},
};

test('only changed fields are listed, without counters', () => {
  const after = { ...group, revision: 2, policy: { ...group.policy, updatesEnabled: false } };
  expect(lines(group, after)).toEqual(['policy · updates: on → off']);
});

test('durations, shares, days and times of day are formatted', () => {
  const after = {
    ...group,
    policy: {
      ...group.policy,
      periodInterval: 5_400_000_000_000,
      haltFailureShare: 0.05,
      waves: [{ share: 0.1, soak: 14_400_000_000_000 }, { share: 1 }],
      windows: [{ days: [1], start: 90, end: 1440 }],
    },
  };
  expect(lines(group, after)).toEqual([
    'policy · period interval: 15 min → 1 h 30 min',
    'policy · halt failure share: 20 % → 5 %',
    'policy · wave 1 · share: 5 % → 10 %',
    'policy · window 1 · days: Sat, Sun → Mon',
    'policy · window 1 · start: 02:00 → 01:30',
  ]);
});

test('an added or removed wave is listed', () => {
  const after = { ...group, policy: { ...group.policy, waves: [{ share: 0.05, soak: 14_400_000_000_000 }] } };
  expect(lines(group, after)).toEqual(['policy · wave 2 · share: 100 % → –']);
});

test('ids of other objects become references', () => {
  const [was, is] = ['01a20840-bb23-7000-a669-ba146776df87', '01a20840-bb31-7000-bfa5-f424a6f68d04'];
  const channel = { name: 'stable', package_id: was, promoted_at: '2026-11-23T11:53:57Z' };
  expect(lines(channel, { ...channel, package_id: is, promoted_at: '2026-11-23T12:00:00Z' })).toEqual([
    `package: package ${was} → package ${is}`,
  ]);
});

test('a new object is listed in full, without empty fields', () => {
  expect(
    lines(null, {
      id: 'x',
      version: '2.0.0',
      type: 1,
      description: '',
      edges: { action: { id: 'y', event: 'postinstall' } },
    }),
  ).toEqual(['version: – → 2.0.0', 'type: – → operating system', 'action · event: – → postinstall']);
});

test('an override is listed by kind', () => {
  const none = { Kind: 0, Version: {}, Until: '0001-01-01T00:00:00Z', By: '', Reason: '' };
  expect(
    lines(
      { machine: 'm1', override: none },
      { machine: 'm1', override: { ...none, Kind: 1, By: 'ana', Reason: 'disk swap' } },
    ),
  ).toEqual(['override · kind: none → held']);
});

test('one change is a sentence', () => {
  const change = (before: object, after: object) =>
    difference(JSON.stringify(before), JSON.stringify(after)).map(changeText);
  expect(change({ limit: 5 }, { limit: 50 })).toEqual(['limit from 5 to 50']);
  expect(change({}, { limit: 50 })).toEqual(['limit set to 50']);
  expect(change({ limit: 5 }, {})).toEqual(['limit removed, was 5']);
  expect(change({}, { package_id: '01a20840-bb23-7000-a669-ba146776df87' })).toEqual([null]);
});
