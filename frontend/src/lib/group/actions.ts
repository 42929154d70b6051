import { graphql, type VariablesOf } from '$lib/api/graphql';
import type { GroupState } from './state';

/** The actions on a group's rollout that only need a reason. */
export type ControlAction = 'pause' | 'resume' | 'halt' | 'advance';

/** The actions on a group's rollout. */
export type GroupAction = ControlAction | 'rollBack';

export const stopMutations = {
  pause: graphql(`
    mutation Pause($groupId: ID!, $reason: String!) {
      outcome: pauseUpdates(input: { groupId: $groupId, reason: $reason }) {
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
} as const;

export const impactQuery = graphql(`
  query ControlImpact($groupId: ID!, $control: GroupControl!) {
    controlImpact(groupId: $groupId, control: $control) {
      sentence
    }
  }
`);

type Control = VariablesOf<typeof impactQuery>['control'];

interface ActionText {
  /** Label of the button. */
  label: string;
  look: 'plain' | 'primary' | 'warn' | 'danger';
  control: Control;
  /** Field of the API, for the role. */
  needs: string;
}

export const actionText: Record<ControlAction, ActionText> = {
  pause: {
    label: 'Pause',
    look: 'warn',
    control: 'PAUSE',
    needs: 'pauseUpdates',
  },
  resume: {
    label: 'Resume',
    look: 'primary',
    control: 'RESUME',
    needs: 'resumeUpdates',
  },
  halt: {
    label: 'Halt',
    look: 'danger',
    control: 'HALT',
    needs: 'haltRollout',
  },
  advance: {
    label: 'Next wave',
    look: 'plain',
    control: 'ADVANCE',
    needs: 'advanceWave',
  },
};

/** The consequences of stopping. */
export const stopNote = {
  pause:
    'A planned stop. No machine is granted an update until you resume, even if another package is promoted. Grants that have not started are withdrawn; machines that are already downloading finish.',
  halt: 'An emergency stop, for a faulty version. No machine is granted an update until another version is promoted or you resume. Resuming ignores the failures so far.',
};

/** Field of the API that each action calls. */
export const actionNeeds: Record<GroupAction, string> = {
  pause: actionText.pause.needs,
  resume: actionText.resume.needs,
  halt: actionText.halt.needs,
  advance: actionText.advance.needs,
  rollBack: 'rollBack',
};

export const asAction = (text: string | null): GroupAction | null =>
  text === 'rollBack' || (text !== null && Object.hasOwn(actionText, text)) ? (text as GroupAction) : null;

interface Progress {
  currentWave: number;
  waves: unknown[];
  newcomers: { failing: boolean } | null;
}

/** The actions possible for a group, the usual one last. */
export function possibleActions(state: GroupState, rollout: Progress | null): GroupAction[] {
  const actions = actionsIn(state, rollout !== null && rollout.currentWave < rollout.waves.length);
  // Machines not known before the rollout can be stopped while it runs.
  return rollout?.newcomers?.failing && !actions.includes('resume') ? [...actions, 'resume'] : actions;
}

function actionsIn(state: GroupState, nextWave: boolean): GroupAction[] {
  switch (state) {
    case 'ROLLING_OUT':
    case 'STALLED':
      return nextWave ? ['rollBack', 'advance', 'halt', 'pause'] : ['rollBack', 'halt', 'pause'];
    case 'PAUSED':
      return ['rollBack', 'resume'];
    case 'HALTED':
      return ['resume', 'rollBack'];
    case 'UP_TO_DATE':
    case 'INCOMPLETE':
      return ['rollBack', 'pause'];
    case 'NO_PACKAGE':
      return [];
  }
}
