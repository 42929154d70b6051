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
        field
        message
      }
    }
  }
`);

/** What a person can decide about a machine. */
export type Decision = 'hold' | 'pin' | 'release' | 'move';

interface Refusal {
  field: string | null;
  message: string;
}

/** Splits what was refused: at the fields that a form has, and the rest. */
export function refusals(errors: readonly Refusal[], fields: readonly string[]) {
  const at = new Map<string, string>();
  const rest: string[] = [];
  for (const { field, message } of errors) {
    const words = message.charAt(0).toUpperCase() + message.slice(1);
    if (field && fields.includes(field)) at.set(field, words);
    else rest.push(words);
  }
  return { at, rest: rest.join(' ') };
}
