import type { Activity } from '$lib/activity/activity';
import type { Audit } from '$lib/audit/entry';
import type { Timeline } from '$lib/group/timeline';
import type { Entries, Rollout } from './incident';

/** A rollout that began at 02:00 and halted at 02:31. */
export const rollout: Rollout = {
  id: 'r',
  version: '2.1.0',
  createdAt: '2026-11-28T02:00:00Z',
  startedAt: '2026-11-28T02:10:00Z',
  endedAt: null,
  state: 'HALTED',
  attempts: { finished: 20, failed: 0 },
  attemptsSinceResume: { finished: 20, failed: 8 },
  halt: {
    rule: 'FAILURE_SHARE',
    at: '2026-11-28T02:31:00Z',
    by: '',
    machineIds: [],
    failed: 5,
    finished: 17,
    reason: '',
    sentence: 'the rollout is halted: 5 of 17 finished attempts failed',
  },
  failures: [],
  failedAttempts: { nodes: [], totalCount: 0 },
  group: {
    id: 'g',
    name: 'production',
    application: { id: 'a', name: 'OS' },
    channel: { id: 'c', name: 'stable' },
    policy: { timezone: 'UTC' },
  },
};

export const activity = (change: Partial<Activity>): Activity => ({
  id: 'activity',
  at: '2026-11-28T02:10:00Z',
  kind: 'ROLLOUT_STARTED',
  severity: 'INFO',
  applicationId: 'a',
  applicationName: 'OS',
  groupId: 'g',
  groupName: 'production',
  channelName: '',
  instanceId: null,
  machineId: '',
  version: '2.1.0',
  actor: '',
  detail: '',
  ...change,
});

export const audit = (change: Partial<Audit>): Audit => ({
  id: 'audit',
  at: '2026-11-28T02:00:00Z',
  actor: 'ana',
  credential: 'session',
  address: '',
  number: 1,
  previousHash: '',
  hash: '',
  action: 'updateGroup',
  objectType: 'group',
  objectId: 'g',
  applicationId: 'a',
  before: '',
  after: '{"name":"production"}',
  reason: '',
  package: null,
  rollout: null,
  ...change,
});

const page = <Node>(nodes: Node[]) => ({ nodes, pageInfo: { hasNextPage: false } });

export const record = (activities: Activity[] = [], group: Audit[] = [], channel: Audit[] = []): Entries => ({
  activities: page(activities),
  group: page(group),
  rollout: page([]),
  channel: page(channel),
});

/** Points of 02:40, 02:45 and 02:55. */
export const timeline: Timeline = {
  resolution: 'PT5M',
  times: ['2026-11-28T02:40:00Z', '2026-11-28T02:45:00Z', '2026-11-28T02:55:00Z'],
  onTarget: [0, 0, 0],
  aboveTarget: [0, 0, 0],
  badVersion: [12, 12, 12],
  inFlight: [6, 4, 0],
  failed: [7, 8, 9],
  waiting: [215, 216, 219],
  versions: [
    { version: '2.1.0', machines: [12, 12, 12] },
    { version: '2.0.0', machines: [228, 228, 228] },
  ],
  pace: { inFlight: [], concurrencyLimit: [], granted: [], periodLimit: [] },
  annotations: [],
};
