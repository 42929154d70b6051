import { graphql } from '$lib/api/graphql';
import type { Tone } from '$lib/ui/tone';
import { reasonWord, type Reason } from './reason';

export type InstanceState = ReturnType<typeof graphql.scalar<'InstanceState'>>;
export type Outcome = ReturnType<typeof graphql.scalar<'Outcome'>>;

/** Where a machine stands in its update. */
export const instanceState: Record<InstanceState, { word: string; tone: Tone }> = {
  NONE: { word: 'Never updated here', tone: 'quiet' },
  UNDEFINED: { word: 'Not known', tone: 'quiet' },
  GRANTED: { word: 'Granted', tone: 'fly' },
  DOWNLOADING: { word: 'Downloading', tone: 'fly' },
  DOWNLOADED: { word: 'Downloaded', tone: 'fly' },
  INSTALLED: { word: 'Installed, reboot pending', tone: 'fly' },
  COMPLETE: { word: 'Updated', tone: 'done' },
  ERROR: { word: 'Failed', tone: 'fail' },
  ON_HOLD: { word: 'On hold', tone: 'quiet' },
};

/** How an attempt ended. */
export const outcomeWord: Record<Outcome, string> = {
  SUCCEEDED: 'Updated',
  FAILED: 'Failed',
  ROLLED_BACK: 'Rolled back after boot',
  TIMED_OUT: 'No report within the lease',
  INTERRUPTED: 'Update service restarted',
  DEFERRED: 'Put off by the machine',
  WITHDRAWN: 'Taken back before it began',
};

/** As much as the words for a machine need. */
export interface Situation {
  state: InstanceState;
  countedAs: ReturnType<typeof graphql.scalar<'CountedAs'>> | null;
  reason: Reason;
  override: { kind: 'HOLD' | 'PIN' } | null;
}

/** The one thing worth knowing about a machine. */
export function machineWord({ state, countedAs, reason, override }: Situation): { word: string; tone: Tone } {
  switch (countedAs) {
    case 'QUARANTINED':
      return { word: 'Quarantined', tone: 'fail' };
    case 'OVERRIDDEN':
      return { word: override?.kind === 'PIN' ? 'Pinned by a person' : 'Held by a person', tone: 'warn' };
    case 'SILENT':
      return { word: 'Silent', tone: 'quiet' };
    case 'ON_TARGET':
      return { word: 'Up to date', tone: 'done' };
    case 'WAITING':
      return state === 'ON_HOLD'
        ? { word: `On hold: ${reasonWord[reason].toLowerCase()}`, tone: 'quiet' }
        : { word: 'Waiting', tone: 'quiet' };
    default:
      return instanceState[state];
  }
}

/** The same for a row that has a place of its own for why a machine is held. */
export function listWord(machine: Situation): { word: string; tone: Tone; why: string } {
  if (machine.state === 'ON_HOLD' && machine.countedAs === 'WAITING') {
    return { word: instanceState.ON_HOLD.word, tone: 'quiet', why: reasonWord[machine.reason] };
  }
  return { ...machineWord(machine), why: '' };
}
