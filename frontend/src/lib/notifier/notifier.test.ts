import { expect, test } from 'vitest';
import { conditionSentence } from './conditions';
import { isQuiet, notifierState, type Notifier, type Places } from './notifier';

const now = new Date('2026-11-28T03:00:00Z');

const notifier = (change: Partial<Notifier>): Notifier => ({
  id: 'n',
  teamId: 't',
  name: 'Tracker',
  kind: 'WEBHOOK',
  url: 'https://cmdb.example.com/in',
  addresses: [],
  authorization: false,
  previousSecretUntil: null,
  kinds: [],
  minSeverity: 'SUCCESS',
  applicationIds: [],
  groupIds: [],
  digest: 'PT0S',
  quietFrom: '',
  quietUntil: '',
  timezone: 'UTC',
  enabled: true,
  disabledBecause: '',
  sentAt: null,
  failingSince: null,
  lastError: '',
  lastDay: { total: 0, delivered: 0, waiting: 0, failed: 0 },
  firing: 0,
  createdBy: 'admin',
  createdAt: '2026-11-27T03:00:00Z',
  ...change,
});

test('the worst state is shown', () => {
  const failing = { failingSince: '2026-11-28T02:00:00Z', lastError: '503' };
  const quiet = { quietFrom: '22:00', quietUntil: '06:00', sentAt: '2026-11-27T20:00:00Z' };
  expect(
    [
      notifier({}),
      notifier({ sentAt: '2026-11-28T02:00:00Z' }),
      notifier({ kind: 'ALERTMANAGER', sentAt: '2026-11-28T02:00:00Z', firing: 2 }),
      notifier(quiet),
      notifier({ ...quiet, ...failing }),
      notifier({ ...failing, enabled: false }),
      notifier({ ...failing, enabled: false, disabledBecause: 'no success for 72 hours' }),
    ].map((each) => notifierState(each, now).label),
  ).toEqual([
    'Nothing sent yet',
    'Works',
    'Works, 2 alerts firing',
    'Quiet until 06:00',
    'Failing since',
    'Disabled',
    'Disabled by the server',
  ]);
  expect(notifierState(notifier(failing), now)).toMatchObject({ since: failing.failingSince, why: '503' });
});

test('quiet hours are in their zone and can span midnight', () => {
  const quiet = (quietFrom: string, quietUntil: string, timezone = 'UTC') =>
    isQuiet({ quietFrom, quietUntil, timezone }, now);
  expect([quiet('22:00', '06:00'), quiet('22:00', '03:00'), quiet('03:00', '04:00'), quiet('', '')]).toEqual([
    true,
    false,
    true,
    false,
  ]);
  // It is 12:00 in Tokyo.
  expect([quiet('22:00', '06:00', 'Asia/Tokyo'), quiet('11:00', '13:00', 'Asia/Tokyo')]).toEqual([
    false,
    true,
  ]);
});

const places: Places = {
  teams: [{ id: 't', name: 'Default' }],
  applications: [
    { id: 'a', name: 'Flatcar', team: { id: 't' }, groups: [{ id: 'g', name: 'stable' }] },
    { id: 'b', name: 'Agent', team: { id: 't' }, groups: [] },
  ],
};

test('the conditions are one sentence', () => {
  const all = (change: Partial<Notifier>) => conditionSentence(notifier(change), places);
  expect(all({})).toBe('All but single machines, in all applications.');
  expect(all({ kind: 'ALERTMANAGER', applicationIds: ['a'] })).toBe('What needs attention, in Flatcar.');
  expect(all({ kinds: ['ROLLOUT_HALTED', 'ROLLOUT_STALLED'], minSeverity: 'ERROR' })).toBe(
    'Rollout halted and rollout stalled, errors only, in all applications.',
  );
  expect(
    all({
      kinds: ['PAUSED', 'RESUMED', 'CHANNEL_MOVED', 'ROLLED_BACK'],
      groupIds: ['g', 'gone'],
      digest: 'PT1H',
      quietFrom: '22:00',
      quietUntil: '06:00',
      timezone: 'Europe/Lisbon',
    }),
  ).toBe(
    'Group paused, group resumed and 2 more, in Flatcar / stable and a deleted group; one message every hour; quiet from 22:00 to 06:00 Europe/Lisbon.',
  );
  expect(all({ applicationIds: ['b', 'gone'], groupIds: ['g'] })).toBe(
    'All but single machines, in Agent and a deleted application and there in Flatcar / stable.',
  );
});
