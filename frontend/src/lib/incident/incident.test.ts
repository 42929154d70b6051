import { expect, test } from 'vitest';
import { actions, failuresUntil, isCut, pointAt, rangeOf, recordVariables, standingAt } from './incident';
import { audit, activity, record, rollout, timeline } from './fixture';
import { incidentText, type Facts } from './text';

const at = new Date('2026-11-28T02:50:00Z');
const attempt = (endedAt: string, code: number) => ({
  endedAt,
  outcome: 'FAILED' as const,
  code,
  description: 'step failed',
});

test('numbers are those of the last point that is not later', () => {
  expect(pointAt(timeline, at)).toMatchObject({ at: Date.parse('2026-11-28T02:45:00Z'), inFlight: 4 });
  expect(pointAt(timeline, new Date('2026-11-28T02:00:00Z'))).toBeUndefined();
});

test('the shortest range that reaches back is read, and none when nothing is stored any more', () => {
  const after = (minutes: number) => rangeOf(at, new Date(at.getTime() + minutes * 60_000));
  expect([0, 53, 55].map(after)).toEqual(['HOUR', 'HOUR', 'DAY']);
  expect([24 * 60, 7 * 24 * 60, 30 * 24 * 60].map(after)).toEqual(['WEEK', 'MONTH', null]);
});

test('failed attempts that ended later are not counted', () => {
  const nodes = [
    attempt('2026-11-28T02:55:00Z', 9),
    attempt('2026-11-28T02:40:00Z', 9),
    attempt('2026-11-28T02:35:00Z', 5),
    attempt('2026-11-28T02:30:00Z', 9),
  ];
  const all = { ...rollout, failedAttempts: { nodes, totalCount: 4 } };
  expect(failuresUntil(all, at)).toEqual([
    { name: 'step failed (code 9)', attempts: 2 },
    { name: 'step failed (code 5)', attempts: 1 },
  ]);
});

test('failed attempts are unknown when some are not read or not stored', () => {
  const nodes = [attempt('2026-11-28T02:40:00Z', 9)];
  expect(failuresUntil({ ...rollout, failedAttempts: { nodes, totalCount: 600 } }, at)).toBeNull();
  const attempts = { finished: 20, failed: 8 };
  expect(failuresUntil({ ...rollout, attempts, failedAttempts: { nodes, totalCount: 1 } }, at)).toBeNull();
});

test('the state is that of the time, not of now', () => {
  const label = (time: string, also: Partial<typeof rollout> = {}, kinds = record()) =>
    standingAt({ ...rollout, ...also }, kinds, new Date(time)).label;
  expect(label('2026-11-28T01:00:00Z')).toBe('Not begun');
  expect(label('2026-11-28T02:05:00Z')).toBe('Waiting');
  expect(label('2026-11-28T02:20:00Z')).toBe('Rolling out');
  expect(label('2026-11-28T02:31:00Z')).toBe('Halted');
  // It was resumed later, so that the halt is known from the activity only.
  const halted = record([activity({ kind: 'ROLLOUT_HALTED', at: '2026-11-28T02:31:00Z' })]);
  expect(label('2026-11-28T02:50:00Z', { halt: null }, halted)).toBe('Halted');
  expect(label('2026-11-28T02:50:00Z', { endedAt: '2026-11-28T03:00:00Z', state: 'SUPERSEDED' })).toBe(
    'Halted',
  );
  expect(label('2026-11-28T03:10:00Z', { endedAt: '2026-11-28T03:00:00Z', state: 'SUPERSEDED' })).toBe(
    'Superseded',
  );
});

test('the record ends at the time and an entry of two lists is listed once', () => {
  const { activities, channel } = recordVariables(rollout, at);
  expect(activities).toMatchObject({ groupId: 'g', until: '2026-11-28T02:50:00.001Z' });
  expect(channel).toEqual({
    objectId: 'c',
    since: '2026-11-28T01:59:59.000Z',
    until: '2026-11-28T02:50:00.001Z',
  });
  const one = audit({ id: '1', at: '2026-11-28T02:40:00Z' });
  const newer = audit({ id: '2', at: '2026-11-28T02:45:00Z' });
  const read = record([], [one], [newer, one]);
  expect(actions(read).map(({ id }) => id)).toEqual(['2', '1']);
  expect(isCut(read)).toBe(false);
  read.channel.pageInfo.hasNextPage = true;
  expect(isCut(read)).toBe(true);
});

const facts: Facts = {
  rollout,
  at,
  standing: { label: 'Halted', since: '2026-11-28T02:31:00Z' },
  point: pointAt(timeline, at) ?? null,
  failures: [{ name: 'step failed (code 9)', attempts: 2 }],
  actions: [audit({ action: 'pauseUpdates', at: '2026-11-28T02:40:00Z', reason: 'look first' })],
  activities: [
    activity({ kind: 'ROLLOUT_HALTED', at: '2026-11-28T02:31:00Z', detail: '5 of 17 attempts failed' }),
    activity({ kind: 'PAUSED', at: '2026-11-28T02:40:00Z', actor: 'ana', detail: 'look first' }),
  ],
};

test('the text gives each number its time', () => {
  expect(incidentText(facts, 'https://example.com/incident').split('\n')).toEqual([
    '2.1.0 in OS, production (channel stable)',
    'As of 2026-11-28 02:50:00 UTC: halted since 2026-11-28 02:31:00 UTC',
    'The rollout is halted: 5 of 17 finished attempts failed.',
    'Numbers of 2026-11-28 02:45:00 UTC: 240 active machines, 12 on 2.1.0, 228 on 2.0.0, 4 in flight, 8 failed',
    'Failed attempts until then: 2 × step failed (code 9)',
    'Last actions until then:',
    '- 2026-11-28 02:40:00 UTC ana paused group production: “look first”',
    '- 2026-11-28 02:31:00 UTC 5 of 17 attempts failed',
    'https://example.com/incident',
  ]);
});

test('the text says what is not known, and leaves out a later halt', () => {
  const before = new Date('2026-11-28T02:20:00Z');
  const text = incidentText({ ...facts, at: before, point: null, failures: null }, 'link');
  expect(text).toContain('No numbers of that time are stored.');
  expect(text).toContain('How many attempts had failed until then is not known');
  expect(text).not.toContain('5 of 17 finished');
});
