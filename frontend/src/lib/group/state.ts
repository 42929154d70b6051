import { graphql } from '$lib/api/graphql';
import type { Tone } from '$lib/ui/tone';

export type GroupState = ReturnType<typeof graphql.scalar<'GroupState'>>;

/** Label and colour of each group state. */
export const groupState: Record<GroupState, { label: string; tone: Tone }> = {
  NO_PACKAGE: { label: 'No package', tone: 'quiet' },
  UP_TO_DATE: { label: 'Up to date', tone: 'done' },
  INCOMPLETE: { label: 'Incomplete', tone: 'warn' },
  ROLLING_OUT: { label: 'Rolling out', tone: 'fly' },
  STALLED: { label: 'Stalled', tone: 'warn' },
  PAUSED: { label: 'Paused', tone: 'warn' },
  HALTED: { label: 'Halted', tone: 'fail' },
};

/** Most urgent first. */
export const urgency: readonly GroupState[] = [
  'HALTED',
  'STALLED',
  'PAUSED',
  'INCOMPLETE',
  'ROLLING_OUT',
  'UP_TO_DATE',
  'NO_PACKAGE',
];

export type RolloutState = ReturnType<typeof graphql.scalar<'RolloutState'>>;

/** Label and colour of each rollout state. */
export const rolloutState: Record<RolloutState, { label: string; tone: Tone }> = {
  ACTIVE: { label: 'rolling out', tone: 'fly' },
  PAUSED: { label: 'paused', tone: 'warn' },
  HALTED: { label: 'halted', tone: 'fail' },
  COMPLETED: { label: 'completed', tone: 'done' },
  SUPERSEDED: { label: 'superseded', tone: 'quiet' },
};

/** The state with its wave, such as "Rolling out · wave 3 of 4". */
export function stateText(state: GroupState, wave: number, waves: number): string {
  const { label } = groupState[state];
  return state === 'ROLLING_OUT' && waves > 1 ? `${label} · wave ${wave} of ${waves}` : label;
}
