import { activityFragment, type Activity } from '$lib/activity/activity';
import { graphql, type ResultOf, type VariablesOf } from '$lib/api/graphql';
import { nearest, type ChartMark, type ChartSeries } from '$lib/chart/series';
import type { Tone } from '$lib/ui/tone';
import { visible } from '$lib/ui/visible';
import { compareVersions } from '$lib/version/compare';

export const timelineQuery = graphql(
  `
    query Timeline($groupId: ID!, $range: TimelineRange!) {
      timeline(groupId: $groupId, range: $range) {
        resolution
        times
        onTarget
        aboveTarget
        badVersion
        inFlight
        failed
        waiting
        versions {
          version
          machines
        }
        pace {
          inFlight
          concurrencyLimit
          granted
          periodLimit
        }
        annotations {
          ...ActivityLine
        }
      }
    }
  `,
  [activityFragment],
);

export type Timeline = ResultOf<typeof timelineQuery>['timeline'];
export type TimelineRange = VariablesOf<typeof timelineQuery>['range'];

/** Active machines at one time, by state and by version. */
export interface Point {
  /** In ms since 1970. */
  at: number;
  onTarget: number;
  aboveTarget: number;
  badVersion: number;
  inFlight: number;
  failed: number;
  waiting: number;
  versions: readonly { version: string; machines: number }[];
}

/** The group fields of a point. */
export interface Present {
  numbers: {
    asOf: string;
    onTarget: number;
    aboveTarget: number;
    badVersion: number;
    inFlight: number;
    failed: number;
    quarantined: number;
    waiting: number;
    otherBuild: number;
    byVersion: readonly { version: string; active: number }[];
  };
}

/** The current point of a group. Stored points count quarantined machines as failed, and
 * machines with another build of the target as waiting. */
export function present({ numbers }: Present): Point {
  return {
    at: Date.parse(numbers.asOf),
    onTarget: numbers.onTarget,
    aboveTarget: numbers.aboveTarget,
    badVersion: numbers.badVersion,
    inFlight: numbers.inFlight,
    failed: numbers.failed + numbers.quarantined,
    waiting: numbers.waiting + numbers.otherBuild,
    versions: numbers.byVersion.map(({ version, active }) => ({ version, machines: active })),
  };
}

/** Converts the columns of the API to points. */
export function points(timeline: Timeline): Point[] {
  const { times, onTarget, aboveTarget, badVersion, inFlight, failed, waiting, versions } = timeline;
  return times.map((time, i) => ({
    at: Date.parse(time),
    onTarget: onTarget[i] ?? 0,
    aboveTarget: aboveTarget[i] ?? 0,
    badVersion: badVersion[i] ?? 0,
    inFlight: inFlight[i] ?? 0,
    failed: failed[i] ?? 0,
    waiting: waiting[i] ?? 0,
    versions: versions.map(({ version, machines }) => ({ version, machines: machines[i] ?? 0 })),
  }));
}

/** Live points, and stored points where there are none. Stored points are `apart`
 * ms apart. */
export function join(stored: readonly Point[], apart: number, seen: readonly Point[]): Point[] {
  const seenAt = seen.map(({ at }) => at);
  const unseen = stored.filter(({ at }) => {
    const near = seenAt[nearest(seenAt, at)];
    return near === undefined || Math.abs(near - at) >= apart;
  });
  return [...unseen, ...seen].sort((a, b) => a.at - b.at);
}

/** Live points kept in memory. */
const maxSeen = 240;

/** Adds the current point. It replaces the last one while that is less than `apart`
 * ms after the one before. Beyond maxSeen points, every second point of the older
 * half is dropped. */
export function see(seen: readonly Point[], now: Point, apart = 2000): Point[] {
  const [before, last] = seen.slice(-2);
  const moving = before && last && last.at - before.at < apart;
  const all = [...(moving ? seen.slice(0, -1) : seen), now];
  return all.length > maxSeen ? all.filter((_, i) => i > maxSeen / 2 || i % 2 === 0) : all;
}

/** Machines by version: the target at the bottom, bad versions, then the two most common
 * of the others, newest first, then all others. */
export function versionSeries(
  moments: readonly Point[],
  standingOf: (version: string) => 'target' | 'bad' | 'other',
): ChartSeries[] {
  const sums = new Map<string, number>();
  for (const { versions } of moments) {
    for (const { version, machines } of versions) sums.set(version, (sums.get(version) ?? 0) + machines);
  }
  const some = [...sums].filter(([, machines]) => machines > 0).map(([version]) => version);
  const target = some.filter((version) => standingOf(version) === 'target');
  const bad = some.filter((version) => standingOf(version) === 'bad').sort(newestFirst);
  const older = some.filter((version) => standingOf(version) === 'other');
  const most = older
    .toSorted((a, b) => (sums.get(b) ?? 0) - (sums.get(a) ?? 0))
    .slice(0, older.length === 3 ? 3 : 2)
    .sort(newestFirst);
  const rest = older.filter((version) => !most.includes(version));
  const looks = ['older-1', 'older-2', 'older-3'] as const;
  const one = (label: string, versions: readonly string[], tone: ChartSeries['tone']): ChartSeries => ({
    label,
    tone,
    style: 'area',
    values: moments.map((moment) =>
      moment.versions.reduce((sum, v) => sum + (versions.includes(v.version) ? v.machines : 0), 0),
    ),
  });
  return [
    ...(target.length > 0 ? [one(name(target[0]), target, 'done')] : []),
    ...(bad.length > 0 ? [one(bad.map(name).join(', '), bad, 'bad')] : []),
    ...most.map((version, i) => one(name(version), [version], looks[i] ?? 'older-3')),
    ...(rest.length > 0 ? [one('others', rest, 'older-3')] : []),
  ];
}

const newestFirst = (a: string, b: string) => compareVersions(b, a);
const name = (version = '') => visible(version) || 'unknown';

/** The marks of a chart that starts at `from`, in ms. */
export function chartMarks(marks: readonly Activity[], from: number): ChartMark[] {
  return marks
    .filter(({ at }) => Date.parse(at) >= from)
    .map((mark) => ({
      id: mark.id,
      at: mark.at,
      label: markLabel(mark),
      tone: markTone[mark.kind] ?? 'quiet',
    }));
}

/** The kinds of marks that change no number of the group by which its page could notice them. */
export const overrideKinds: readonly Activity['kind'][] = [
  'MACHINES_HELD',
  'MACHINES_PINNED',
  'MACHINES_RELEASED',
  'MACHINES_MOVED',
  'MACHINES_LABELED',
  'PACKAGE_BLACKLISTED',
];

const markTone: Partial<Record<Activity['kind'], Tone>> = { PAUSED: 'warn', ROLLOUT_HALTED: 'fail' };

/** The label of a mark. */
function markLabel({ kind, actor, version, machineId }: Activity): string {
  const machines = machineId ? 'machine' : 'machines';
  switch (kind) {
    case 'CHANNEL_MOVED':
      return version ? `→ ${version}` : 'channel emptied';
    case 'ROLLED_BACK':
      return `↩ ${version}`;
    case 'PAUSED':
      return `paused${by(actor)}`;
    case 'RESUMED':
      return `resumed${by(actor)}`;
    case 'ROLLOUT_HALTED':
      return `halted${by(actor)}`;
    case 'WAVE_ADVANCED':
      return `next wave${by(actor)}`;
    case 'POLICY_CHANGED':
      return `policy${by(actor)}`;
    case 'PACKAGE_BLACKLISTED':
      return `blacklisted ${version}${by(actor)}`;
    case 'MACHINES_HELD':
      return `${machines} held${by(actor)}`;
    case 'MACHINES_PINNED':
      return `${machines} pinned${by(actor)}`;
    case 'MACHINES_RELEASED':
      return `${machines} released${by(actor)}`;
    case 'MACHINES_MOVED':
      return `${machines} moved${by(actor)}`;
    case 'MACHINES_LABELED':
      return `${machines} labeled${by(actor)}`;
    case 'ROLLOUT_STARTED':
      return 'started';
    case 'ROLLOUT_FINISHED':
      return 'finished';
    default:
      return kind.toLowerCase().replaceAll('_', ' ');
  }
}

const by = (actor: string) => (actor ? ` · ${actor}` : '');

/** The shortest range that shows the whole rollout. */
export function rangeFor(began: Date | null, now: Date): TimelineRange {
  const hours = began ? (now.getTime() - began.getTime()) / 3_600_000 : Infinity;
  if (hours <= 1) return 'HOUR';
  if (hours <= 24) return 'DAY';
  return hours <= 7 * 24 ? 'WEEK' : 'DAY';
}
