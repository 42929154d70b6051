import { activityFragment } from '$lib/activity/activity';
import { graphql, type ResultOf } from '$lib/api/graphql';
import { auditFragment } from '$lib/audit/entry';
import { failureName } from '$lib/group/failures';
import { haltFragment } from '$lib/group/halt';
import { points, type Point, type Timeline, type TimelineRange } from '$lib/group/timeline';

/** Failed attempts read to count those until the time of the incident: the largest page. */
const mostAttempts = 500;

export const incidentQuery = graphql(
  `
    query Incident($rolloutId: ID!, $attempts: Int!) {
      rollout(id: $rolloutId) {
        id
        createdAt
        startedAt
        endedAt
        state
        ...HaltHeadline
        halt {
          failed
          finished
          reason
          sentence
        }
        attempts {
          finished
          failed
        }
        failures {
          outcome
          code
          description
          attempts
        }
        failedAttempts(first: $attempts) {
          nodes {
            endedAt
            outcome
            code
            description
          }
          totalCount
        }
        group {
          id
          name
          application {
            id
            name
          }
          channel {
            id
            name
          }
          policy {
            timezone
          }
        }
      }
    }
  `,
  [haltFragment],
);

export const incidentVariables = (rolloutId: string) => ({ rolloutId, attempts: mostAttempts });

/** What the group, its rollout and its channel went through between two times. */
export const recordQuery = graphql(
  `
    query IncidentRecord(
      $activities: ActivityFilter!
      $group: AuditFilter!
      $rollout: AuditFilter!
      $channel: AuditFilter!
      $first: Int!
    ) {
      activities(filter: $activities, first: $first) {
        nodes {
          ...ActivityLine
        }
        pageInfo {
          hasNextPage
        }
      }
      group: audits(filter: $group, first: $first) {
        ...IncidentAudits
      }
      rollout: audits(filter: $rollout, first: $first) {
        ...IncidentAudits
      }
      channel: audits(filter: $channel, first: $first) {
        ...IncidentAudits
      }
    }

    fragment IncidentAudits on AuditConnection {
      nodes {
        ...AuditEntry
      }
      pageInfo {
        hasNextPage
      }
    }
  `,
  [activityFragment, auditFragment],
);

export type Rollout = NonNullable<ResultOf<typeof incidentQuery>['rollout']>;
export type Entries = ResultOf<typeof recordQuery>;

/** Entries of each kind that are read. */
const mostEntries = 100;

/** The kinds that change a rollout; single machines are counted, not listed. */
const kinds = [
  'CHANNEL_MOVED',
  'PACKAGE_BLACKLISTED',
  'PAUSED',
  'POLICY_CHANGED',
  'RESUMED',
  'ROLLOUT_FINISHED',
  'ROLLOUT_HALTED',
  'ROLLOUT_STALLED',
  'ROLLOUT_STARTED',
  'WAVE_ADVANCED',
] as const;

export function recordVariables({ id, createdAt, group }: Rollout, at: Date) {
  // The end of a filter is exclusive, and what began the rollout was stored just before it.
  const since = new Date(Date.parse(createdAt) - 1000).toISOString();
  const until = new Date(at.getTime() + 1).toISOString();
  const of = (objectId: string) => ({ objectId, since, until });
  return {
    activities: { groupId: group.id, kinds: [...kinds], since, until },
    group: of(group.id),
    rollout: of(id),
    // Without a channel the same entries as of the group, which are listed once.
    channel: of(group.channel?.id ?? group.id),
    first: mostEntries,
  };
}

/** Who did what, newest first. */
export function actions({ group, rollout, channel }: Entries) {
  const all = new Map([group, rollout, channel].flatMap(({ nodes }) => nodes.map((one) => [one.id, one])));
  return [...all.values()].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
}

/** Whether older entries were left out. */
export const isCut = ({ activities, group, rollout, channel }: Entries): boolean =>
  [activities, group, rollout, channel].some(({ pageInfo }) => pageInfo.hasNextPage);

const hour = 3_600_000;

/** The shortest range whose points reach back to a time; null if none does. */
export function rangeOf(at: Date, now: Date): TimelineRange | null {
  const hours = (now.getTime() - at.getTime()) / hour;
  // A margin, so that a point before the time is within the range.
  if (hours <= 0.9) return 'HOUR';
  if (hours <= 23) return 'DAY';
  if (hours <= 6.5 * 24) return 'WEEK';
  return hours <= 29.5 * 24 ? 'MONTH' : null;
}

/** The last recorded point that is not later than a time. */
export const pointAt = (timeline: Timeline, at: Date): Point | undefined =>
  points(timeline).findLast((point) => point.at <= at.getTime());

export interface FailureKind {
  name: string;
  attempts: number;
}

/** The failed attempts until a time by kind, largest count first; null if there are more
 * than are read, or some are no longer stored. */
export function failuresUntil({ attempts, failedAttempts }: Rollout, at: Date): FailureKind[] | null {
  const { nodes, totalCount } = failedAttempts;
  if (nodes.length < totalCount || totalCount < attempts.failed) return null;
  const counts = new Map<string, number>();
  for (const attempt of nodes) {
    if (attempt.endedAt === null || Date.parse(attempt.endedAt) > at.getTime()) continue;
    const name = failureName(attempt);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, attempts]) => ({ name, attempts })).sort((a, b) => b.attempts - a.attempts);
}

/** The failed attempts until now. */
export const failuresNow = ({ failures }: Rollout): FailureKind[] =>
  failures.map((failure) => ({ name: failureName(failure), attempts: failure.attempts }));

/** What was true of a rollout at a time. */
export interface Standing {
  label: 'Not begun' | 'Waiting' | 'Rolling out' | 'Paused' | 'Halted' | 'Completed' | 'Superseded';
  /** Since when, if it is recorded. */
  since: string | null;
}

/** The state of the rollout at a time, from its own times and the activities until then. */
export function standingAt(rollout: Rollout, record: Entries, at: Date): Standing {
  const isBefore = (time: string | null) => time !== null && Date.parse(time) <= at.getTime();
  if (!isBefore(rollout.createdAt)) return { label: 'Not begun', since: null };
  if (isBefore(rollout.endedAt))
    return {
      label: rollout.state === 'SUPERSEDED' ? 'Superseded' : 'Completed',
      since: rollout.endedAt,
    };
  if (rollout.halt && isBefore(rollout.halt.at)) return { label: 'Halted', since: rollout.halt.at };
  for (const { kind, at: since } of record.activities.nodes) {
    const label = labelAfter[kind];
    if (label) return { label, since };
  }
  return isBefore(rollout.startedAt)
    ? { label: 'Rolling out', since: rollout.startedAt }
    : { label: 'Waiting', since: rollout.createdAt };
}

type Kind = Entries['activities']['nodes'][number]['kind'];

const labelAfter: Partial<Record<Kind, Standing['label']>> = {
  PAUSED: 'Paused',
  RESUMED: 'Rolling out',
  ROLLOUT_STARTED: 'Rolling out',
  ROLLOUT_HALTED: 'Halted',
  ROLLOUT_FINISHED: 'Completed',
};
