import { graphql, type ResultOf, type VariablesOf } from '$lib/api/graphql';
import { inFlight, type InstanceState } from '$lib/machine/state';

export const timelineQuery = graphql(`
  query Timeline($groupId: ID!, $range: TimelineRange!) {
    timeline(groupId: $groupId, range: $range) {
      from
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
  }
`);

export type Timeline = ResultOf<typeof timelineQuery>['timeline'];
export type TimelineRange = VariablesOf<typeof timelineQuery>['range'];
export type Mark = Timeline['marks'][number];

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
 * was never updated and is done all the same. */
export function points(timeline: Timeline, targets: ReadonlySet<string>): Point[] {
  return timeline.times.map((time, i) => {
    const inStates = (wanted: (state: InstanceState) => boolean) =>
      timeline.states.reduce((sum, { state, machines }) => sum + (wanted(state) ? (machines[i] ?? 0) : 0), 0);
    const onTarget = timeline.versions.reduce(
      (sum, { version, machines }) => sum + (targets.has(version) ? (machines[i] ?? 0) : 0),
      0,
    );
    const flying = inStates((state) => inFlight.includes(state));
    const failed = inStates((state) => state === 'ERROR');
    const all = inStates(() => true);
    return {
      at: new Date(time),
      onTarget,
      inFlight: flying,
      failed,
      waiting: Math.max(0, all - onTarget - flying - failed),
    };
  });
}

/** The stored points, then those this page saw itself: the server stores one
 * every few minutes only. */
export function join(stored: readonly Point[], seen: readonly Point[]): Point[] {
  const last = stored.at(-1)?.at.getTime() ?? -Infinity;
  return [...stored, ...seen.filter(({ at }) => at.getTime() > last)];
}

/** Adds what is true now. The last point moves along with the present until it
 * is `apart` ms from the one before: hours of looking stay a few hundred points. */
export function see(seen: readonly Point[], now: Point, apart = 2000): Point[] {
  const [before, last] = seen.slice(-2);
  const moving = before && last && last.at.getTime() - before.at.getTime() < apart;
  return [...(moving ? seen.slice(0, -1) : seen), now].slice(-1800);
}

/** What a mark says in the chart. */
export function markWord({ kind, actor, version }: Mark): string {
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
