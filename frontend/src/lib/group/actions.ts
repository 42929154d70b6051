import { graphql } from '$lib/api/graphql';
import type { GroupState } from './state';

/** What a person can do to a group's rollout. */
export type GroupAction = 'pause' | 'resume' | 'halt' | 'advance';

export const actionMutations = {
  pause: graphql(`
    mutation Pause($groupId: ID!, $reason: String!) {
      outcome: pauseUpdates(input: { groupId: $groupId, reason: $reason }) {
        userErrors {
          message
        }
      }
    }
  `),
  resume: graphql(`
    mutation Resume($groupId: ID!, $reason: String!) {
      outcome: resumeUpdates(input: { groupId: $groupId, reason: $reason }) {
        userErrors {
          message
        }
      }
    }
  `),
  halt: graphql(`
    mutation Halt($groupId: ID!, $reason: String!) {
      outcome: haltRollout(input: { groupId: $groupId, reason: $reason }) {
        userErrors {
          message
        }
      }
    }
  `),
  advance: graphql(`
    mutation Advance($groupId: ID!, $reason: String!) {
      outcome: advanceWave(input: { groupId: $groupId, reason: $reason }) {
        userErrors {
          message
        }
      }
    }
  `),
} as const;

/** What makes sense now, the usual one last. */
export function possibleActions(state: GroupState, wave: number, waves: number): GroupAction[] {
  switch (state) {
    case 'ROLLING_OUT':
      return wave < waves ? ['advance', 'halt', 'pause'] : ['halt', 'pause'];
    case 'PAUSED':
    case 'HALTED':
      return ['resume'];
    case 'UP_TO_DATE':
      return ['pause'];
    case 'NO_PACKAGE':
      return [];
  }
}
