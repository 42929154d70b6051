import { graphql } from '$lib/api/graphql';

export const setAliasMutation = graphql(`
  mutation SetInstanceAlias($id: ID!, $alias: String!) {
    outcome: setInstanceAlias(input: { id: $id, alias: $alias }) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const holdMutation = graphql(`
  mutation HoldInstance($id: ID!, $until: Time, $reason: String!) {
    outcome: holdInstance(input: { id: $id, until: $until, reason: $reason }) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const pinMutation = graphql(`
  mutation PinInstance($id: ID!, $version: String!, $until: Time, $reason: String!) {
    outcome: pinInstance(input: { id: $id, version: $version, until: $until, reason: $reason }) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const releaseMutation = graphql(`
  mutation ReleaseInstance($id: ID!, $reason: String!) {
    outcome: releaseInstance(input: { id: $id, reason: $reason }) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const moveMutation = graphql(`
  mutation MoveInstance($id: ID!, $groupId: ID, $reason: String!) {
    outcome: moveInstance(input: { id: $id, groupId: $groupId, reason: $reason }) {
      userErrors {
        code
        field
        message
      }
    }
  }
`);

export const enrollMutation = graphql(`
  mutation EnrollInstances($applicationId: ID!, $machineIds: [String!]!, $reason: String!) {
    outcome: enrollInstances(
      input: { applicationId: $applicationId, machineIds: $machineIds, reason: $reason }
    ) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const forgetMutation = graphql(`
  mutation ForgetInstance($id: ID!, $reason: String!) {
    outcome: forgetInstance(input: { id: $id, reason: $reason }) {
      userErrors {
        field
        message
      }
    }
  }
`);

/** The actions an operator can take on one machine. */
export type MachineAction = 'hold' | 'pin' | 'release' | 'move' | 'enroll' | 'forget';
