import { graphql, type ResultOf } from '$lib/api/graphql';
import { failureName } from '$lib/group/failures';
import { groupState, stateText, urgency } from '$lib/group/state';
import { count, duration, percent, plural } from '$lib/ui/format';

export const wallDocument = graphql(`
  subscription Wall {
    fleetChanged {
      fleet {
        active
        inFlight
        failed
        quarantined
      }
      applications {
        id
        name
        groups {
          id
          name
          state
          policy {
            timezone
          }
          pause {
            at
            by
            reason
          }
          numbers {
            total
            active
            onTarget
            aboveTarget
            badVersion
            inFlight
            failed
            quarantined
            silent
            byVersion {
              version
              active
            }
          }
          rollout {
            version
            currentWave
            waves {
              position
            }
            endedAt
            attemptsSinceResume {
              finished
              failed
            }
            halt {
              at
              failure {
                outcome
                code
                description
                attempts
              }
            }
            stall {
              since
            }
          }
        }
      }
    }
  }
`);

export type WallGroup = ResultOf<
  typeof wallDocument
>['fleetChanged']['applications'][number]['groups'][number];

/** Rows that fit on a screen. */
const mostRows = 5;

/** The groups to show, most urgent first, and the others. Groups that are done are the
 * first to be left out. */
export function rows(groups: readonly WallGroup[]): { shown: WallGroup[]; rest: WallGroup[] } {
  const used = groups.filter(({ state, numbers }) => state !== 'NO_PACKAGE' || numbers.total > 0);
  const sorted = used.toSorted((a, b) => urgency.indexOf(a.state) - urgency.indexOf(b.state));
  if (sorted.length <= mostRows) return { shown: sorted, rest: [] };
  const shown = sorted.filter(({ state }) => state !== 'UP_TO_DATE').slice(0, mostRows);
  return { shown, rest: sorted.filter((group) => !shown.includes(group)) };
}

/** The groups without a row, by state: "2 rolling out, 7 up to date". */
export function restText(rest: readonly WallGroup[]): string {
  return urgency
    .map((state) => ({ state, groups: rest.filter((group) => group.state === state).length }))
    .filter(({ groups }) => groups > 0)
    .map(({ state, groups }) => `${count(groups)} ${groupState[state].label.toLowerCase()}`)
    .join(', ');
}

/** Below the state: since when, or the wave. */
export function sinceText({ state, rollout, pause }: WallGroup, now: Date): string {
  const since = {
    HALTED: rollout?.halt?.at,
    STALLED: rollout?.stall?.since,
    PAUSED: pause?.at,
    UP_TO_DATE: rollout?.endedAt,
    INCOMPLETE: rollout?.endedAt,
    ROLLING_OUT: null,
    NO_PACKAGE: null,
  }[state];
  if (since) return `for ${duration((now.getTime() - Date.parse(since)) / 1000)}`;
  if (state !== 'ROLLING_OUT' || !rollout) return '';
  return stateText(state, rollout.currentWave, rollout.waves.length).split(' · ')[1] ?? '';
}

/** The most common version that is not the target; "" if all run the target. */
export function fromVersion({ numbers, rollout }: WallGroup): string {
  const others = numbers.byVersion.filter(
    ({ version, active }) => active > 0 && version !== rollout?.version,
  );
  return others.toSorted((a, b) => b.active - a.active)[0]?.version ?? '';
}

/** One sentence: what is still true of the group. */
export function wallText({ state, numbers, rollout, pause }: WallGroup): string {
  const { badVersion, inFlight, failed, quarantined, silent } = numbers;
  if (state === 'NO_PACKAGE') return `no package for ${plural(numbers.active, 'machine')}`;
  const on = numbers.byVersion.find(({ version }) => version === rollout?.version)?.active ?? 0;
  const failure = state === 'HALTED' && rollout?.halt?.failure;
  const parts = [
    state === 'HALTED' && on > 0 ? `${count(on)} still ${on === 1 ? 'runs' : 'run'} ${rollout?.version}` : '',
    state !== 'HALTED' && badVersion > 0 ? `${count(badVersion)} on a bad version` : '',
    state === 'PAUSED' && pause ? `${pause.by}${pause.reason && `: “${pause.reason}”`}` : '',
    inFlight > 0 ? `${count(inFlight)} ${state === 'HALTED' ? 'under way' : 'in flight'}` : '',
    state !== 'HALTED' && failed + quarantined > 0 ? `${count(failed + quarantined)} failed` : '',
    silent > 0 ? `${count(silent)} silent` : '',
    failure ? `${count(failure.attempts)} × ${failureName(failure)}` : '',
  ].filter(Boolean);
  if (parts.length === 0 && state === 'HALTED') return `no machine runs ${rollout?.version}`;
  return parts.join(' · ') || `${count(numbers.onTarget)} on ${rollout?.version ?? 'the target'}`;
}

/** Whether a machine runs the version of the group's rollout or is on the way to it. */
export const hasBegun = ({ numbers, rollout }: WallGroup): boolean =>
  numbers.inFlight > 0 ||
  numbers.byVersion.some(({ version, active }) => active > 0 && version === rollout?.version);

/** Name of another group of the same application in which the version that this group
 * rolls out is halted; "" if none. */
export function haltedElsewhere(group: WallGroup, applications: readonly { groups: WallGroup[] }[]): string {
  const version = group.rollout?.version;
  if (!['ROLLING_OUT', 'STALLED', 'PAUSED'].includes(group.state)) return '';
  const siblings = applications.find(({ groups }) => groups.some(({ id }) => id === group.id))?.groups;
  return (
    siblings?.find(({ state, rollout }) => state === 'HALTED' && rollout?.version === version)?.name ?? ''
  );
}

/** The number of a row, and what it counts: the share on target, except when halted. */
export function figure({ state, numbers, rollout }: WallGroup): { value: string; of: string } {
  const attempts = rollout?.attemptsSinceResume;
  if (state === 'HALTED' && attempts && attempts.finished > 0)
    return { value: count(attempts.failed), of: `of ${count(attempts.finished)} failed` };
  if (numbers.active === 0) return { value: '–', of: 'no active machines' };
  return { value: percent(numbers.onTarget / numbers.active), of: `of ${count(numbers.active)}` };
}
