import { graphql } from '$lib/api/graphql';
import type { Tone } from '$lib/ui/tone';
import { reasonLabel, type Reason } from './reason';

export type InstanceState = ReturnType<typeof graphql.scalar<'InstanceState'>>;
export type Outcome = ReturnType<typeof graphql.scalar<'Outcome'>>;

/** Label and colour of each machine state. */
export const instanceState: Record<InstanceState, { label: string; tone: Tone }> = {
  NONE: { label: 'No attempts', tone: 'quiet' },
  UNDEFINED: { label: 'Unknown', tone: 'quiet' },
  GRANTED: { label: 'Granted', tone: 'fly' },
  DOWNLOADING: { label: 'Downloading', tone: 'fly' },
  DOWNLOADED: { label: 'Downloaded', tone: 'fly' },
  INSTALLED: { label: 'Installed, reboot pending', tone: 'fly' },
  COMPLETE: { label: 'Updated', tone: 'done' },
  ERROR: { label: 'Failed', tone: 'fail' },
  ON_HOLD: { label: 'On hold', tone: 'quiet' },
};

/** Label and colour of an outcome. */
export const outcomeLabel: Record<Outcome, string> = {
  SUCCEEDED: 'Updated',
  FAILED: 'Failed',
  ROLLED_BACK: 'Rolled back after boot',
  TIMED_OUT: 'Lease expired without a report',
  INTERRUPTED: 'Update service restarted',
  DEFERRED: 'Deferred by the machine',
  WITHDRAWN: 'Withdrawn before it started',
  NOT_RUNNING: 'Reported success, still on the old version',
  CAME_BACK: 'Came back after a failure',
  LOST: 'Silent after installing',
  LOOPING: 'Interrupted too often',
};

/** The fields that determine the state of a machine. */
export interface Situation {
  state: InstanceState;
  countedAs: ReturnType<typeof graphql.scalar<'CountedAs'>> | null;
  reason: Reason;
  override: { kind: 'HOLD' | 'PIN' } | null;
  /** Null when it has none, and for a grant that was withdrawn before it began. */
  grant: object | null;
}

/** The state of a machine, including overrides and quarantine. */
export function machineState({ state, countedAs, reason, override, grant }: Situation): {
  label: string;
  tone: Tone;
} {
  switch (countedAs) {
    case 'QUARANTINED':
      return { label: 'Quarantined', tone: 'fail' };
    case 'OVERRIDDEN':
      return { label: override?.kind === 'PIN' ? 'Pinned' : 'Held', tone: 'warn' };
    case 'SILENT':
      return { label: 'Silent', tone: 'quiet' };
    case 'ON_TARGET':
      return { label: 'Up to date', tone: 'done' };
    case 'ABOVE_TARGET':
      return { label: 'Above the target', tone: 'quiet' };
    case 'BAD_VERSION':
      return { label: 'On a bad version', tone: 'bad' };
    case 'OTHER_BUILD':
      return { label: 'Another build of the target', tone: 'warn' };
    case 'WAITING':
      return state === 'ON_HOLD'
        ? { label: `On hold: ${reasonLabel[reason].toLowerCase()}`, tone: 'quiet' }
        : { label: 'Waiting', tone: 'quiet' };
    default:
      return state === 'GRANTED' && !grant
        ? { label: 'Offer withdrawn', tone: 'quiet' }
        : instanceState[state];
  }
}

/** The state for a row that shows the hold reason in its own column. */
export function listState(machine: Situation): { label: string; tone: Tone; why: string } {
  if (machine.state === 'ON_HOLD' && machine.countedAs === 'WAITING') {
    return { label: instanceState.ON_HOLD.label, tone: 'quiet', why: reasonLabel[machine.reason] };
  }
  return { ...machineState(machine), why: '' };
}
