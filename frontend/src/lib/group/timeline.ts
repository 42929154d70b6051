import { graphql, type ResultOf, type VariablesOf } from '$lib/api/graphql';
import type { ChartMark } from '$lib/chart/series';
import { inFlight, type InstanceState } from '$lib/machine/state';
import { isoSeconds } from '$lib/ui/format';
import { compareVersions } from '$lib/version/compare';

export const timelineQuery = graphql(`
  query Timeline($groupId: ID!, $range: TimelineRange!) {
    timeline(groupId: $groupId, range: $range) {
      resolution
      times
      states {
        state
        machines
      }
      versions {
        version
        machines
      }
      marks {
        id
        at
        kind
        actor
        version
      }
    }
    group(id: $groupId) {
      rollouts(first: 50) {
        nodes {
          version
          createdAt
        }
      }
    }
  }
`);

export type Timeline = ResultOf<typeof timelineQuery>['timeline'];
export type TimelineRange = VariablesOf<typeof timelineQuery>['range'];
export type Mark = Timeline['marks'][number];

/** What a group moved to, and since when. */
export interface Target {
  version: string;
  createdAt: string;
}

/** Machines at one moment, as the chart stacks them. */
export interface Point {
  at: Date;
  onTarget: number;
  inFlight: number;
  failed: number;
  waiting: number;
}

/** Folds the columns of the API into what the chart stacks. On target is a
 * matter of versions, the rest of states: a machine that came with the target
 * was never updated and is done all the same. The target is that of the moment;
 * `targets` come newest first. */
export function points(timeline: Timeline, targets: readonly Target[]): Point[] {
  return timeline.times.map((time, i) => {
    const at = new Date(time);
    const target = targets.find(({ createdAt }) => Date.parse(createdAt) <= at.getTime())?.version;
    const reached = (version: string) => target !== undefined && compareVersions(version, target) >= 0;
    const inStates = (wanted: (state: InstanceState) => boolean) =>
      timeline.states.reduce((sum, { state, machines }) => sum + (wanted(state) ? (machines[i] ?? 0) : 0), 0);
    const onTarget = timeline.versions.reduce(
      (sum, { version, machines }) => sum + (reached(version) ? (machines[i] ?? 0) : 0),
      0,
    );
    const flying = inStates((state) => inFlight.includes(state));
    const failed = inStates((state) => state === 'ERROR');
    const waiting = Math.max(0, inStates(() => true) - onTarget - flying - failed);
    return { at, onTarget, inFlight: flying, failed, waiting };
  });
}

/** What this page saw itself, and the stored points where it did not look: those
 * are rarer, and true only to within their distance. */
export function join(stored: readonly Point[], resolution: string, seen: readonly Point[]): Point[] {
  const near = isoSeconds(resolution) * 1000;
  const unseen = stored.filter(({ at }) => !seen.some((s) => Math.abs(s.at.getTime() - at.getTime()) < near));
  return [...unseen, ...seen].sort((a, b) => a.at.getTime() - b.at.getTime());
}

/** Adds what is true now. The last point moves along with the present until it
 * is `apart` ms from the one before: hours of looking stay a few hundred points. */
export function see(seen: readonly Point[], now: Point, apart = 2000): Point[] {
  const [before, last] = seen.slice(-2);
  const moving = before && last && last.at.getTime() - before.at.getTime() < apart;
  return [...(moving ? seen.slice(0, -1) : seen), now].slice(-1800);
}

/** The marks that fall into a chart which begins at `from`. */
export function chartMarks(marks: readonly Mark[], from: Date | undefined): ChartMark[] {
  return marks
    .filter(({ at }) => from !== undefined && new Date(at) >= from)
    .map((mark) => ({ at: mark.at, label: markWord(mark) }));
}

/** What a mark says in the chart. */
function markWord({ kind, actor, version }: Mark): string {
  switch (kind) {
    case 'CHANNEL_MOVED':
      return version ? `→ ${version}` : 'channel moved';
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
    case 'ROLLOUT_STARTED':
      return 'started';
    case 'ROLLOUT_FINISHED':
      return 'finished';
    default:
      return kind.toLowerCase().replaceAll('_', ' ');
  }
}

const by = (actor: string) => (actor ? ` · ${actor}` : '');

/** The shortest range that shows a rollout from its beginning. */
export function rangeFor(began: Date | null, now: Date): TimelineRange {
  const hours = began ? (now.getTime() - began.getTime()) / 3_600_000 : Infinity;
  if (hours <= 1) return 'HOUR';
  if (hours <= 24) return 'DAY';
  return hours <= 7 * 24 ? 'WEEK' : 'DAY';
}
