import { graphql } from '$lib/api/graphql';
import type { Tone } from '$lib/ui/tone';

export type GroupState = ReturnType<typeof graphql.scalar<'GroupState'>>;

/** A group in one word, and how it looks. */
export const groupState: Record<GroupState, { word: string; tone: Tone }> = {
  NO_PACKAGE: { word: 'Nothing to offer', tone: 'quiet' },
  UP_TO_DATE: { word: 'Up to date', tone: 'done' },
  ROLLING_OUT: { word: 'Rolling out', tone: 'fly' },
  PAUSED: { word: 'Paused', tone: 'warn' },
  HALTED: { word: 'Halted', tone: 'fail' },
};

/** The state with the wave it is in, such as "Rolling out · wave 3 of 4". */
export function stateWords(state: GroupState, wave: number, waves: number): string {
  const { word } = groupState[state];
  return state === 'ROLLING_OUT' && waves > 1 ? `${word} · wave ${wave} of ${waves}` : word;
}
