import { expect, test } from 'vitest';
import { newlyHalted } from './alarm';
import {
  figure,
  fromVersion,
  haltedElsewhere,
  hasBegun,
  restText,
  rows,
  sinceText,
  wallText,
  type WallGroup,
} from './wall';

const now = new Date('2026-11-28T02:50:00Z');

const numbers = {
  total: 240,
  active: 240,
  onTarget: 0,
  aboveTarget: 0,
  badVersion: 12,
  inFlight: 4,
  failed: 7,
  quarantined: 1,
  silent: 0,
  byVersion: [
    { version: '2.1.0', active: 12 },
    { version: '2.0.0', active: 228 },
  ],
};

const group = (state: WallGroup['state'], change: Partial<WallGroup> = {}): WallGroup => ({
  id: state,
  name: state,
  state,
  policy: { timezone: 'UTC' },
  pause: null,
  numbers,
  rollout: {
    version: '2.1.0',
    currentWave: 3,
    waves: [1, 2, 3, 4].map((position) => ({ position })),
    endedAt: null,
    attemptsSinceResume: { finished: 20, failed: 8 },
    halt: { at: '2026-11-28T02:31:00Z', failure: null },
    stall: null,
  },
  ...change,
});

const states = (groups: readonly WallGroup[]) => groups.map(({ state }) => state);

test('the most urgent group is first, and unused groups are left out', () => {
  const unused = group('NO_PACKAGE', { numbers: { ...numbers, total: 0 } });
  const { shown, rest } = rows([
    group('UP_TO_DATE'),
    unused,
    group('ROLLING_OUT'),
    group('PAUSED'),
    group('HALTED'),
  ]);
  expect(states(shown)).toEqual(['HALTED', 'PAUSED', 'ROLLING_OUT', 'UP_TO_DATE']);
  expect(rest).toEqual([]);
});

test('beyond five groups those that are done become one line', () => {
  const { shown, rest } = rows([
    ...Array.from({ length: 4 }, () => group('ROLLING_OUT')),
    group('UP_TO_DATE'),
    group('UP_TO_DATE'),
    group('HALTED'),
    group('NO_PACKAGE'),
  ]);
  expect(states(shown)).toEqual(['HALTED', ...Array<string>(4).fill('ROLLING_OUT')]);
  expect(restText(rest)).toBe('2 up to date, 1 no package');
});

test('a halted group shows failed attempts and what is still true', () => {
  const halted = group('HALTED');
  expect(figure(halted)).toEqual({ value: '8', of: 'of 20 failed' });
  expect(wallText(halted)).toBe('12 still run 2.1.0 · 4 under way');
  const failure = {
    outcome: 'FAILED' as const,
    code: 11,
    description: 'payload size does not match',
    attempts: 7,
  };
  const named = group('HALTED', {
    rollout: halted.rollout && { ...halted.rollout, halt: { at: '2026-11-28T02:31:00Z', failure } },
  });
  expect(wallText(named)).toBe(
    '12 still run 2.1.0 · 4 under way · 7 × payload size does not match (code 11)',
  );
  expect(sinceText(halted, now)).toBe('for 19 min');
  expect(fromVersion(halted)).toBe('2.0.0');
});

test('other groups show the share on target and who paused', () => {
  const pause = { at: '2026-11-28T02:02:00Z', by: 'ops-1', reason: 'mirror overloaded' };
  const paused = group('PAUSED', { pause, numbers: { ...numbers, onTarget: 60, badVersion: 0 } });
  expect(figure(paused)).toEqual({ value: '25 %', of: 'of 240' });
  expect(wallText(paused)).toBe('ops-1: “mirror overloaded” · 4 in flight · 8 failed');
  expect(sinceText(paused, now)).toBe('for 48 min');
  expect(sinceText(group('ROLLING_OUT'), now)).toBe('wave 3 of 4');
  expect(figure(group('ROLLING_OUT', { numbers: { ...numbers, active: 0 } })).of).toBe('no active machines');
});

test('one machine runs, two machines run', () => {
  const one = { ...numbers, inFlight: 0, byVersion: [{ version: '2.1.0', active: 1 }] };
  expect(wallText(group('HALTED', { numbers: one }))).toBe('1 still runs 2.1.0');
  const none = { ...one, byVersion: [] };
  expect(wallText(group('HALTED', { numbers: none }))).toBe('no machine runs 2.1.0');
});

test('only a group that was not halted before raises an alarm', () => {
  const groups = [group('HALTED', { id: 'a' }), group('HALTED', { id: 'b' }), group('PAUSED', { id: 'c' })];
  expect(newlyHalted(groups, new Set(['a'])).map(({ id }) => id)).toEqual(['b']);
});

test('a group whose version is halted in another group of its application says where', () => {
  const waiting = group('ROLLING_OUT', { numbers: { ...numbers, inFlight: 0, byVersion: [] } });
  const halted = group('HALTED');
  const apart = [{ groups: [waiting] }, { groups: [halted] }];
  expect(haltedElsewhere(waiting, [{ groups: [waiting, halted] }])).toBe('HALTED');
  expect(haltedElsewhere(waiting, apart)).toBe('');
  expect(haltedElsewhere(halted, [{ groups: [waiting, halted, group('HALTED', { id: 'b' })] }])).toBe('');
  const other = group('HALTED', { rollout: waiting.rollout && { ...waiting.rollout, version: '2.2.0' } });
  expect(haltedElsewhere(waiting, [{ groups: [waiting, other] }])).toBe('');
  expect([hasBegun(waiting), hasBegun(group('ROLLING_OUT'))]).toEqual([false, true]);
});
