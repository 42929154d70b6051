import { graphql, type VariablesOf } from '$lib/api/graphql';
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

export const reachQuery = graphql(`
  query ControlReach($groupId: ID!, $control: GroupControl!) {
    controlImpact(groupId: $groupId, control: $control) {
      sentence
    }
  }
`);

type Control = VariablesOf<typeof reachQuery>['control'];

interface ActionWords {
  /** On its button. */
  label: string;
  look: 'plain' | 'primary' | 'warn' | 'danger';
  control: Control;
  /** Stopping must be quick; whoever starts again says why. */
  reason: 'optional' | 'required';
  /** What it does, whoever is touched. */
  note: string;
}

export const actionWords: Record<GroupAction, ActionWords> = {
  pause: {
    label: 'Pause',
    look: 'warn',
    control: 'PAUSE',
    reason: 'optional',
    note: 'For a planned stop while nothing is wrong. No machine is granted any more until somebody resumes, whatever is promoted meanwhile. Offers that were not begun are taken back; machines already downloading finish.',
  },
  resume: {
    label: 'Resume',
    look: 'primary',
    control: 'RESUME',
    reason: 'required',
    note: 'Machines are granted again, within the caps. Failures so far are set aside and cannot halt the rollout again.',
  },
  halt: {
    label: 'Halt',
    look: 'danger',
    control: 'HALT',
    reason: 'optional',
    note: 'For when something is wrong with this version: it shows as an emergency. No machine is granted any more until another version is promoted or somebody resumes, which sets the failures so far aside.',
  },
  advance: {
    label: 'Next wave',
    look: 'plain',
    control: 'ADVANCE',
    reason: 'required',
    note: 'Opens it now, without waiting for the soak time and the gate of the wave before.',
  },
};

export const asAction = (text: string | null): GroupAction | null =>
  text !== null && Object.hasOwn(actionWords, text) ? (text as GroupAction) : null;

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
